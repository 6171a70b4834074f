namespace Whip.Hosting;

/// <summary>Every bound of the programs in one place. Each can be set when a program is embedded; the programs run with the defaults.</summary>
public sealed class WhipLimits
{
    /// <summary>
    /// Connections per listener that have not said who they are; the oldest goes when one more comes. 1,000: at 5 seconds each,
    /// 200 honest handshakes a second find room beside as many silent peers.
    /// </summary>
    public int UnauthenticatedConnections { get; set; } = 1000;

    /// <summary>TLS handshakes in progress per core. 64: a core completes some 700 a second, so the last of 64 waits 0.1 s.</summary>
    public int HandshakesPerCore { get; set; } = 64;

    /// <summary>For the TLS handshake and the preamble or the CONNECT head together. 5 seconds, as rathole has it.</summary>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>For the first message of a control stream. 5 seconds, like the handshake.</summary>
    public TimeSpan RegisterTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a connection to the dial front may say nothing. 60 seconds, as common HTTP proxies keep idle connections.</summary>
    public TimeSpan DialFrontIdleTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The deadline of a dial that names none. 5 seconds: half of what frp gives a work connection.</summary>
    public TimeSpan DialDeadline { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest a dial may ask to wait for an agent. 60 seconds, the usual patience of an HTTP client.</summary>
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

    /// <summary>Descriptors that relays leave for everything else: listeners, control streams, files. 256.</summary>
    public int DescriptorReserve { get; set; } = 256;

    /// <summary>How often each side of a control stream pings. 5 seconds.</summary>
    public TimeSpan PingInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>A control stream without a pong for so long is dead. 12 seconds: two lost pings and their travel.</summary>
    public TimeSpan PongTimeout { get; set; } = TimeSpan.FromSeconds(12);

    /// <summary>How long a half-closed relay may carry nothing. 1 hour.</summary>
    public TimeSpan HalfOpenTimeout { get; set; } = TimeSpan.FromHours(1);
}
