using Whip.Hosting.Flags;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Tests.Hosting.Flags;

/// <summary>A flag of every kind.</summary>
internal sealed class TestFlags : ProgramFlags
{
    public TestFlags(string metricsListen = "off")
        : base("whip-x", "Does x.", static () => new TestOptions(), metricsListen)
    {
        Add(nameof(TestOptions.Domain), "TEXT", "The domain.");
        AddNumber(nameof(TestOptions.Count), "NUMBER", "How many.", 1, 10);
        Add(nameof(TestOptions.GrpcListen), "HOST:PORT", "Where to listen.");
        AddNumber(nameof(TestOptions.Ports), "PORT,...", "What to publish.", 1, 65535);
        Add(nameof(TestOptions.Targets), "PORT[=TARGET]", "Where it is.", static (_, text) => text, json: Flag.NumberOrText);
        Add(nameof(TestOptions.Globs), "TEXT", "Who may dial.");
        Add(nameof(TestOptions.Restrict), "TEXT", "Who else.", isRestriction: true);
        Add(nameof(TestOptions.RestrictFile), "FILE", "Who else, in a file.", isRestriction: true);
        Add(nameof(TestOptions.DrainTimeout), "DURATION", "How long.");
        Add(nameof(TestOptions.ExternalTcp), "HOST:PORT", "What agents are told.");
        Add(nameof(TestOptions.Password), "SECRET", "Opens it.", isSecret: true);
        AddNumber(nameof(TestOptions.WhipTcpListenPort), "PORT", "The agents' port.", 0, 65535);
        AddPositional(nameof(TestOptions.Endpoints), "HOST:PORT", "The brokers.", "endpoints");
    }
}

internal sealed class TestOptions : ICheckedOptions
{
    public string Domain { get; set; } = "testdom";

    public int Count { get; set; } = 3;

    public string GrpcListen { get; set; } = ":50051";

    public IList<int> Ports { get; set; } = [];

    public IList<string> Targets { get; set; } = [];

    public IList<string> Globs { get; set; } = [];

    public IList<string> Restrict { get; set; } = [];

    public string? RestrictFile { get; set; }

    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(90);

    public string? ExternalTcp { get; set; }

    public string? Password { get; set; }

    public int WhipTcpListenPort { get; set; } = 8000;

    public IList<string> Endpoints { get; set; } = [];

    public WhipTlsOptions Tls { get; } = new();

    public void Check()
    {
        ListenAddress.Parse(nameof(GrpcListen), GrpcListen);
        if (ExternalTcp is not null)
        {
            OptionText.EndPoint(nameof(ExternalTcp), ExternalTcp);
        }

        if (Password is "")
        {
            throw new WhipOptionException(nameof(Password), null, "is empty; it does not go with {Domain} and {GrpcListen}");
        }

        foreach (var endpoint in Endpoints)
        {
            OptionText.EndPoint(nameof(Endpoints), endpoint);
        }
    }
}
