namespace Whip.Bench.Beside;

internal enum Compared
{
    Rate,

    /// <summary>The middle of the times of a dial.</summary>
    P50,

    /// <summary>What it costs the broker, or what stands in its place: processor time, or memory.</summary>
    BrokerCost,
}

/// <summary>A value of Whip over the same value of a peer.</summary>
/// <param name="Name">Of the flag <c>--only</c> and of its line of JSON.</param>
/// <param name="Whip">The subject of ours.</param>
/// <param name="Peers">The peer, in each of its configurations.</param>
/// <param name="Workloads">One row each.</param>
/// <param name="Compares">Which value.</param>
/// <param name="Goal">For the ratio; null: it is only told.</param>
/// <param name="Pays">What each side does for it.</param>
internal sealed record Figure(string Name, string Whip, string[] Peers, Workload[] Workloads, Compared Compares, Goal? Goal, string Pays)
{
    private const string Kept = "Whip kept: one handshake for many dials; haproxy: one for each connection, it has no other way";
    private const string Fresh = "both: two handshakes for each dial; Whip finds the agent, judges the dial and asks for it besides";
    private const string Plain = "Whip: two hops on connections that stand; haproxy: one hop, two connections for each dial";
    private const string PlainFresh = "Whip: two hops, three connections and a question to the agent for each dial; haproxy: one hop, two connections";
    private const string Latency = "Whip: two hops of TLS on connections that stand; haproxy: one hop without TLS, two connections for each dial";
    private const string Memory = "resident memory of the broker, without garbage, and of the haproxy in its place";
    private const string Multiplexed = "Whip: TLS from the dialer on; frp, chisel: plain dialers, all streams in one connection with mutual TLS";

    private static readonly string[] Haproxy = ["haproxy", "haproxy-best"];
    private static readonly string[] HaproxyMtls = ["haproxy-mtls", "haproxy-mtls-best"];
    private static readonly Workload[] Many = [new(Kind.Dials, 32)];
    private static readonly Workload[] Bulk = [new(Kind.Down, 1), new(Kind.Down, 8), new(Kind.Up, 1), new(Kind.Up, 8)];
    private static readonly Workload[] Idle = [new(Kind.Idle, 1000)];

    public static IReadOnlyList<Figure> All { get; } =
    [
        new("mtls-dials-kept", "whip-mtls-kept", HaproxyMtls, Many, Compared.Rate, Goal.AtLeast(6), Kept),
        new("mtls-dials-fresh", "whip-mtls-fresh", HaproxyMtls, Many, Compared.Rate, Goal.AtLeast(0.8), Fresh),
        new("mtls-dial-p50", "whip-mtls-kept", Haproxy, [new(Kind.Dials, 1)], Compared.P50, Goal.AtMost(1.6), Latency),
        new("plain-dials-kept", "whip-plain-kept", Haproxy, Many, Compared.Rate, Goal.AtLeast(0.65), Plain),
        new("plain-dials-fresh", "whip-plain-fresh", Haproxy, Many, Compared.Rate, Goal.AtLeast(0.45), PlainFresh),
        new("mtls-bulk", "whip-mtls-kept", HaproxyMtls, Bulk, Compared.Rate, Goal.AtLeast(1.15), "both: two hops that decrypt and encrypt"),
        new("plain-bulk", "whip-plain-kept", Haproxy, Bulk, Compared.Rate, Goal.AtLeast(1.1), "Whip: two hops; haproxy: one"),
        new("mtls-dial-cpu", "whip-mtls-kept", HaproxyMtls, [.. Many, new(Kind.Dials, 1)], Compared.BrokerCost, Goal.AtMost(0.12), Kept),
        new("plain-bulk-cpu", "whip-plain-kept", Haproxy, Bulk, Compared.BrokerCost, Goal.AtMost(0.6), "one hop of either"),
        new("mtls-idle-memory", "whip-mtls-kept", HaproxyMtls, Idle, Compared.BrokerCost, null, Memory),
        new("plain-idle-memory", "whip-plain-kept", Haproxy, Idle, Compared.BrokerCost, null, Memory),
        new("multiplexer-dials", "whip-mtls-kept", Multiplexer.Names, Many, Compared.Rate, Goal.AtLeast(1), Multiplexed),
        new("multiplexer-bulk", "whip-mtls-kept", Multiplexer.Names, Bulk, Compared.Rate, Goal.AtLeast(2), Multiplexed),
    ];

    public double Value(Sample sample) => Compares switch
    {
        Compared.Rate => sample.Rate,
        Compared.P50 => sample.P50,
        _ => sample.Costs["broker"],
    };
}

/// <summary>At least, or at most, this ratio.</summary>
internal sealed record Goal(double Ratio, bool IsAtLeast)
{
    public static Goal AtLeast(double ratio) => new(ratio, true);

    public static Goal AtMost(double ratio) => new(ratio, false);

    /// <summary>Whether the pairs reach it: not their middle, but their worse quartile.</summary>
    public bool IsMet(Quartiles pairs) => IsAtLeast ? pairs.Lower >= Ratio : pairs.Upper <= Ratio;

    /// <summary>Whether it is harder to reach with this ratio than with the other.</summary>
    public bool IsHarder(double ratio, double other) => IsAtLeast ? ratio < other : ratio > other;

    public override string ToString() => FormattableString.Invariant($"{(IsAtLeast ? '≥' : '≤')} {Ratio}");
}

/// <summary>Of values in any order, by linear interpolation between the two nearest.</summary>
internal readonly record struct Quartiles(double Lower, double Median, double Upper)
{
    public static Quartiles Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return new Quartiles(At(0.25), At(0.5), At(0.75));

        double At(double part)
        {
            var place = part * (sorted.Length - 1);
            var below = (int)place;
            return sorted[below] + ((place - below) * (sorted[Math.Min(below + 1, sorted.Length - 1)] - sorted[below]));
        }
    }
}
