using System.Diagnostics.CodeAnalysis;
using Whip.Protocol.Names;

namespace Whip.Protocol.Dialing;

/// <summary>One dial: which name and port, and how long it may take.</summary>
public sealed record DialRequest
{
    private readonly DialTarget _target;
    private readonly string? _problem;

    /// <summary>A dial with the default deadline. A name or port that cannot be dialled makes the dial a <see cref="DialOutcome.BadRequest"/>.</summary>
    /// <param name="host">An instance (<c>hostname.domain</c>) or a domain; case does not matter.</param>
    /// <param name="port">The published port, 1 to 65535.</param>
    public DialRequest(string host, int port)
    {
        ArgumentNullException.ThrowIfNull(host);
        Host = DialTarget.TryCreate(host, port, out _target, out _problem) ? _target.Name : host;
        Port = port;
    }

    internal DialRequest(DialTarget target) => (_target, Host, Port) = (target, target.Name, target.Port);

    /// <summary>The name in lower case and without a final dot; as it was given if it is not a DNS name.</summary>
    public string Host { get; }

    /// <summary>The published port.</summary>
    public int Port { get; }

    /// <summary>From the first byte to the stream; default 5 seconds. A <see cref="Wait"/> is added to it.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long to wait for an agent to register when the name is not live; default zero, at most 60 seconds.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>What to dial; false with one line that says why it cannot be dialled.</summary>
    internal bool TryGetTarget(out DialTarget target, [NotNullWhen(false)] out string? problem)
    {
        (target, problem) = (_target, _problem);
        return problem is null;
    }
}
