namespace Whip.Agent.ControlStreams;

/// <summary>The life of a control stream, in order; states are skipped, never revisited.</summary>
internal enum StreamState
{
    Opening,

    /// <summary>Register is sent; a broker of ours answers, an original server stays silent.</summary>
    Registering,

    /// <summary>The broker may send Connect.</summary>
    Attached,

    /// <summary>Our direction is complete; what the broker sent before it knew is still served.</summary>
    Detaching,

    Ended,
}
