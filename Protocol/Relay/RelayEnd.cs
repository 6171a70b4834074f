namespace Whip.Protocol.Relay;

/// <summary>Why a relay ended; the first reason wins.</summary>
internal enum RelayEnd
{
    /// <summary>Both directions ended with their sender's end of stream.</summary>
    Clean,

    /// <summary>Side A was reset, timed out, or ended TLS without close_notify.</summary>
    AReset,

    /// <summary>Side B was reset, timed out, or ended TLS without close_notify.</summary>
    BReset,

    /// <summary>The owner cut it: a drain or a stop.</summary>
    Cut,

    /// <summary>One direction had ended and the other carried nothing for too long.</summary>
    HalfOpenTimeout,
}
