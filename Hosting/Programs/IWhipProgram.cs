using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Prometheus;
using Whip.Hosting.Listening;

namespace Whip.Hosting.Programs;

/// <summary>One item of the ready line, such as <c>grpc=127.0.0.1:50051</c>.</summary>
internal readonly record struct BoundAddress(string Name, EndPoint EndPoint)
{
    public override string ToString() => $"{Name}={(EndPoint is UnixDomainSocketEndPoint ? "unix:" : "")}{EndPoint}";
}

/// <summary>What a program gets from whoever runs it: <see cref="WhipProgram"/>, or the host that embeds it.</summary>
internal sealed record ProgramContext(ILoggerFactory LoggerFactory, CollectorRegistry Metrics, DescriptorBudget Descriptors, TimeProvider Time)
{
    /// <summary>The user's name for an option; for a host that embeds the program, the option's own.</summary>
    public Func<string, string> NameOf { get; init; } = static option => option;
}

/// <summary>A broker, an agent or a proxy, as <see cref="WhipProgram"/> runs it.</summary>
internal interface IWhipProgram : IAsyncDisposable
{
    /// <summary>The addresses that <see cref="StartAsync"/> bound, in the order of the ready line.</summary>
    IReadOnlyList<BoundAddress> BoundAddresses { get; }

    /// <summary>What it serves besides, for the log.</summary>
    string Serves => "";

    /// <summary>Whether it serves: false while it starts and while it drains. May be read at any time, from any thread.</summary>
    bool IsReady { get; }

    /// <summary>
    /// Completes, with one line that says why, when the program cannot go on. It is then stopped, and its exit code is 1. Read once, after
    /// the start.
    /// </summary>
    Task<string> GaveUp => new TaskCompletionSource<string>().Task;

    /// <summary>Reads its files again now, and logs what has changed. From any thread.</summary>
    void Reload()
    {
    }

    /// <summary>The leg of an agent has come to a port of this process that is for others; <paramref name="start"/> is what it has sent.</summary>
    void LegAtAnotherPort(string problem, byte[] start)
    {
    }

    /// <exception cref="Protocol.Options.WhipOptionException">An option must change first.</exception>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Drains and stops within its own deadlines, or at once when <paramref name="cancellationToken"/> is cancelled.</summary>
    Task StopAsync(CancellationToken cancellationToken);
}
