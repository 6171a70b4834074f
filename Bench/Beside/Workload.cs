using Whip.Bench.Measuring;

namespace Whip.Bench.Beside;

internal enum Kind
{
    /// <summary>Connect, one byte, its echo, close.</summary>
    Dials,

    /// <summary>Bytes from the service.</summary>
    Down,

    /// <summary>Bytes to the service.</summary>
    Up,

    /// <summary>Streams through which nothing goes.</summary>
    Idle,
}

/// <summary>What the generator does, at how many streams at a time.</summary>
internal sealed record Workload(Kind Kind, int Streams)
{
    /// <summary>Of the costs of a <see cref="Sample"/>.</summary>
    public string CostUnit => Kind switch
    {
        Kind.Dials => "µs/dial",
        Kind.Idle => "KiB",
        _ => "s/GiB",
    };

    public override string ToString() => $"{Kind.ToString().ToLowerInvariant()}-{Streams}";
}

/// <summary>What one workload came to with one subject.</summary>
/// <param name="Rate">Dials or bytes per second.</param>
/// <param name="P50">Of a dial, in milliseconds.</param>
/// <param name="Costs">Processor time for each dial or GiB, or KiB for each idle stream, by process.</param>
internal sealed record Sample(double Rate, double P50, IReadOnlyDictionary<string, double> Costs)
{
    /// <summary>How many connections each hop saw for one dial; under TLS each did a handshake. Empty: not counted.</summary>
    public IReadOnlyList<double> Connections { get; init; } = [];

    /// <summary>Which part of its handshakes each hop resumed; empty: it does not tell.</summary>
    public IReadOnlyList<double> Resumed { get; init; } = [];

    public string Describe(Workload workload)
    {
        var rate = workload.Kind switch
        {
            Kind.Idle => "",
            Kind.Dials => $"{Rate:N0}/s, p50 {P50:0.00} ms, ",
            _ => $"{Rate / 1e9:0.000} GB/s, ",
        };
        var costs = string.Join(", ", Costs.Append(new("sum", Costs.Values.Sum())).Select(cost => $"{cost.Key} {Digits(cost.Value)}"));
        var connections = Connections.Count == 0 ? "" : $", connections a dial {string.Join(", ", Connections.Select(Digits))}";
        return $"{rate}{workload.CostUnit}: {costs}{connections}{(Resumed.Count == 0 ? "" : $", resumed {string.Join(", ", Resumed.Select(Digits))}")}";
    }

    /// <summary>At most four of them, or a whole number.</summary>
    public static string Digits(double value) => $"{FigureWriter.Round(value):0.####}";
}
