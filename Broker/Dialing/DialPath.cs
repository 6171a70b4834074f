namespace Whip.Broker.Dialing;

/// <summary>How a dial got to the agent's stream, as the metrics tell it.</summary>
internal enum DialPath
{
    /// <summary>The stream is at this broker.</summary>
    Local,

    /// <summary>The dialer was sent to the holder.</summary>
    Redirected,

    /// <summary>This broker relays to the holder.</summary>
    Relayed,

    /// <summary>The stream is at this broker, and another one relays to it: there the dial counts as relayed.</summary>
    Forwarded,
}
