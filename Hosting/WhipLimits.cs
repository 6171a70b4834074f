using Whip.Protocol.Options;

namespace Whip.Hosting;

/// <summary>Every limit of the programs. A host that embeds a part can set them; the programs run with the defaults.</summary>
public sealed class WhipLimits
{
    // Where the options classes have their limits.
    private const string Prefix = "Limits.";

    // HTTP/2 has windows of at least 64 KiB, which are twice the size of a message.
    private const int MinControlMessage = 32 * 1024;
    private const int MinConnectHead = 1024;
    private const int MaxBlockedRelays = 1024 * 1024 * 1024;

    /// <summary>
    /// Connections per listener that have not authenticated; the oldest is closed when one more arrives. 1,000: at 5 seconds each, there is
    /// room for 200 handshakes a second beside as many silent peers.
    /// </summary>
    public int UnauthenticatedConnections { get; set; } = 1000;

    /// <summary>TLS handshakes in progress per core. 64: a core completes some 700 a second, so the last of 64 waits 0.1 s.</summary>
    public int HandshakesPerCore { get; set; } = 64;

    /// <summary>For the TLS handshake and the preamble or the CONNECT head together. 5 seconds, as rathole has it.</summary>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>For the first message of a control stream. 5 seconds, like the handshake.</summary>
    public TimeSpan RegisterTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a connection to the dial front may be silent. 60 seconds, as common HTTP proxies keep idle connections.</summary>
    public TimeSpan DialFrontIdleTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The deadline of a dial that names none. 5 seconds: half of what frp gives a work connection.</summary>
    public TimeSpan DialDeadline { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest a dial may ask to wait for an agent. 60 seconds, the usual timeout of an HTTP client.</summary>
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Dials pending at one agent. 256: an agent that opens none of so many legs is stuck.</summary>
    public int PendingDialsPerAgent { get; set; } = 256;

    /// <summary>Dials pending at one broker, waiting ones included. 10,000: some 40 MiB at worst.</summary>
    public int PendingDials { get; set; } = 10_000;

    /// <summary>Dials that wait for one name to register. 256, like the pending dials of one agent.</summary>
    public int WaitersPerName { get; set; } = 256;

    /// <summary>How long a dial waits for another broker that holds the name while there is one more to try. 1 second: a fifth of its deadline.</summary>
    public TimeSpan HolderAttempt { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Streams a dial may ask before it gives up. 3: more would only wait longer for the same fault.</summary>
    public int DialAttempts { get; set; } = 3;

    /// <summary>One message on a control stream, in bytes. 64 KiB: sixteen times the largest that is ever sent.</summary>
    public int ControlMessageSize { get; set; } = 64 * 1024;

    /// <summary>A CONNECT head, in bytes. 8 KiB, nginx's default for a large header.</summary>
    public int ConnectHeadSize { get; set; } = 8 * 1024;

    /// <summary>How often each side of a control stream pings. 5 seconds.</summary>
    public TimeSpan PingInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a control stream may be without a pong. 12 seconds: two lost pings and their round trips.</summary>
    public TimeSpan PongTimeout { get; set; } = TimeSpan.FromSeconds(12);

    /// <summary>How long a half-closed relay may carry no byte. 1 hour.</summary>
    public TimeSpan HalfOpenTimeout { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Bytes that all relays of a program may keep for readers that have stopped; past it the relay that is blocked for the longest time is
    /// reset. 256 MiB: 2,000 readers that stop in the middle of a fast transfer.
    /// </summary>
    public int BlockedRelayBytes { get; set; } = 256 * 1024 * 1024;

    /// <exception cref="WhipOptionException">The first limit that cannot work.</exception>
    internal void Check()
    {
        const int Many = 1_000_000;
        const int MaxSize = 16 * 1024 * 1024;
        CheckNumber(nameof(UnauthenticatedConnections), UnauthenticatedConnections, 1, Many);
        CheckNumber(nameof(HandshakesPerCore), HandshakesPerCore, 1, 10_000);
        CheckNumber(nameof(PendingDialsPerAgent), PendingDialsPerAgent, 1, Many);
        CheckNumber(nameof(PendingDials), PendingDials, 1, Many);
        CheckNumber(nameof(WaitersPerName), WaitersPerName, 1, Many);
        CheckNumber(nameof(DialAttempts), DialAttempts, 1, 100);
        CheckNumber(nameof(ControlMessageSize), ControlMessageSize, MinControlMessage, MaxSize);
        CheckNumber(nameof(ConnectHeadSize), ConnectHeadSize, MinConnectHead, MaxSize);
        CheckNumber(nameof(BlockedRelayBytes), BlockedRelayBytes, MinControlMessage, MaxBlockedRelays);
        CheckDuration(nameof(HandshakeTimeout), HandshakeTimeout);
        CheckDuration(nameof(RegisterTimeout), RegisterTimeout);
        CheckDuration(nameof(DialFrontIdleTimeout), DialFrontIdleTimeout);
        CheckDuration(nameof(DialDeadline), DialDeadline);
        OptionText.Duration($"{Prefix}{nameof(MaxWait)}", MaxWait);
        CheckDuration(nameof(HolderAttempt), HolderAttempt);
        CheckDuration(nameof(PingInterval), PingInterval);
        CheckDuration(nameof(PongTimeout), PongTimeout);
        CheckDuration(nameof(HalfOpenTimeout), HalfOpenTimeout);
        OptionText.Require(
            PongTimeout > PingInterval, $"{Prefix}{nameof(PongTimeout)}", GoDuration.Format(PongTimeout),
            $"is not longer than {{{Prefix}{nameof(PingInterval)}}}", GoDuration.Format(PingInterval * 2));
    }

    private static void CheckNumber(string limit, int value, int min, int max) => OptionText.Number($"{Prefix}{limit}", $"{value}", min, max);

    private static void CheckDuration(string limit, TimeSpan value) => OptionText.Positive($"{Prefix}{limit}", value);
}
