using Whip.Bench.Measuring;
using Whip.Protocol.Options;

namespace Whip.Bench;

/// <summary>The values of the flags of every command. A command has some of the flags.</summary>
internal sealed class BenchOptions : ICheckedOptions
{
    private static readonly TimeSpan MinSoak = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxSoak = TimeSpan.FromHours(24);

    public string Programs { get; set; } = AppContext.BaseDirectory;

    public string ProgramFolder => Path.GetFullPath(Programs);

    public bool MutualTls { get; set; } = true;

    public double Seconds { get; set; } = 10;

    public TimeSpan Length => TimeSpan.FromSeconds(Seconds);

    public IList<int> Concurrency { get; } = [1, 32];

    public MeasuredDialer Dialer { get; set; }

    public bool KeepLegs { get; set; } = true;

    public IList<int> Streams { get; } = [1, 8];

    public IList<int> IdleAgents { get; } = [200, 1000];

    public IList<int> IdleRelays { get; } = [200, 1000];

    public int AttachedStreams { get; set; } = 1_000_000;

    public int Clients { get; set; } = 100_000;

    public string Scenario { get; set; } = "all";

    public int Runs { get; set; } = 1;

    public int Seed { get; set; } = Random.Shared.Next(1_000_000);

    public string Target { get; set; } = "all";

    public int Inputs { get; set; } = 100_000;

    public int From { get; set; }

    public int Dials { get; set; } = 100_000;

    public int Agents { get; set; }

    public int Rate { get; set; } = 100;

    public IList<int> OpenFiles { get; } = [256, 512, 1024, 4096];

    public string? Logs { get; set; }

    public TimeSpan For { get; set; } = TimeSpan.FromMinutes(10);

    public bool Saturated { get; set; }

    public int Pairs { get; set; } = 9;

    public IList<string> Only { get; } = [];

    public string? Readme { get; set; }

    public void Check()
    {
        RequireSome(nameof(Concurrency), Concurrency);
        RequireSome(nameof(Streams), Streams);
        RequireSome(nameof(OpenFiles), OpenFiles);
        OptionText.Require(string.IsNullOrEmpty(Readme) || File.Exists(Readme), nameof(Readme), Readme, "no such file", "README.md");
        RequireSlope(nameof(IdleAgents), IdleAgents);
        RequireSlope(nameof(IdleRelays), IdleRelays);
        OptionText.Require(For >= MinSoak && For <= MaxSoak, nameof(For), GoDuration.Format(For), "out of range", "a duration from 10s to 24h");
    }

    private static void RequireSome(string name, IList<int> sizes) => OptionText.Require(sizes.Count > 0, name, "", "is empty", "a number from 1");

    private static void RequireSlope(string name, IList<int> sizes) => OptionText.Require(
        sizes.Count == 2 && sizes[0] < sizes[1], name, string.Join(',', sizes), "not a slope", "two numbers, the greater one last");
}
