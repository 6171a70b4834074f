namespace Whip.Protocol.Kept;

/// <summary>How long connections are kept (docs/wire.md). Each connection draws its own times, so that those made together do not end together.</summary>
internal static class KeptLimits
{
    /// <summary>Idle connections of one dialer to one broker, and of one certificate at a broker.</summary>
    public const int MaxIdle = 256;

    /// <summary>The asking side lets go of an idle one before the serving side does.</summary>
    public static readonly TimeSpan AskingIdle = TimeSpan.FromSeconds(50);

    public static readonly TimeSpan ServingIdle = TimeSpan.FromSeconds(60);

    public static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    /// <summary>After this much silence one that was used before is taken for stale. A pending dial is reported on sooner.</summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromMilliseconds(400);

    /// <summary>On a connection that is used again, a pending dial is reported on after this time,</summary>
    public static readonly TimeSpan FirstReport = TimeSpan.FromMilliseconds(150);

    /// <summary>and then at this interval.</summary>
    public static readonly TimeSpan NextReport = TimeSpan.FromMilliseconds(250);

    /// <summary>A fifth more or less.</summary>
    public static TimeSpan Drawn(TimeSpan time) => time * (0.8 + (Random.Shared.NextDouble() * 0.4));
}
