namespace Whip.Protocol.Dialing;

/// <summary>One dial: which name and port, and how long it may take.</summary>
/// <param name="Host">An instance (<c>hostname.domain</c>) or a domain; case does not matter.</param>
/// <param name="Port">The published port, 1 to 65535.</param>
public sealed record DialRequest(string Host, int Port)
{
    /// <summary>From the first byte to the stream; default 5 seconds. A <see cref="Wait"/> is added to it.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long to wait for an agent to register when the name is not live; default zero, at most 60 seconds.</summary>
    public TimeSpan Wait { get; init; }
}
