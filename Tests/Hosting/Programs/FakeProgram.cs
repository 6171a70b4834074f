using System.Net;
using Whip.Hosting.Programs;

namespace Whip.Tests.Hosting.Programs;

/// <summary>A program that does at each step what the test says.</summary>
internal sealed class FakeProgram : IWhipProgram
{
    public Func<CancellationToken, Task> OnStart { get; init; } = static _ => Task.CompletedTask;

    public Func<CancellationToken, Task> OnStop { get; init; } = static _ => Task.CompletedTask;

    public IReadOnlyList<BoundAddress> BoundAddresses { get; init; } = [new("grpc", new IPEndPoint(IPAddress.Loopback, 50051)),
        new("tcp", IPEndPoint.Parse("[::]:8000"))];

    public bool IsReady { get; set; } = true;

    public bool Disposed { get; private set; }

    public Task StartAsync(CancellationToken cancellationToken) => OnStart(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => OnStop(cancellationToken);

    public ValueTask DisposeAsync()
    {
        Disposed = true;
        return default;
    }
}
