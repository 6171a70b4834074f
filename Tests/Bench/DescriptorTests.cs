using System.Globalization;
using Whip.Bench.Scenarios;

namespace Whip.Tests.Bench;

/// <summary>Programs with few open files and more connections than there is room for, as processes.</summary>
[Collection(nameof(RunsAlone))]
public sealed class DescriptorTests
{
    private const int Limit = 256;
    private const int Reopened = 5;

    private static readonly TimeSpan Length = TimeSpan.FromSeconds(2);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_broker_outlives_more_strangers_than_it_has_descriptors_and_dials_go_on(bool sendHello)
    {
        await using var whip = await StartAsync(LimitedPart.Broker);
        var first = sendHello ? await Stranger.ClientHelloAsync() : [];
        var load = StrangerLoad.Silent("strangers", whip.Ports, 400, Reopened, first);
        AssertGoals(await DescriptorScenario.LoadWithStrangersAsync(whip, load, Length, Patience.Long, CancellationToken.None));
    }

    [Fact]
    public async Task A_broker_outlives_more_dialers_that_are_silent_than_it_has_descriptors_and_dials_go_on()
    {
        await using var whip = await StartAsync(LimitedPart.Broker);
        var load = new StrangerLoad(
            "dialers", [whip.Limited.Addresses["dial"]], 200, 1,
            (port, cancellationToken) => Stranger.AuthenticatedAsync(port, whip.Identity!, cancellationToken));
        AssertGoals(await DescriptorScenario.LoadWithStrangersAsync(whip, load, Length, Patience.Long, CancellationToken.None));
    }

    [Fact]
    public async Task A_broker_outlives_more_relays_than_it_has_descriptors() => await LoadWithRelaysAsync(LimitedPart.Broker);

    [Fact]
    public async Task An_agent_outlives_more_dials_than_it_has_descriptors() => await LoadWithRelaysAsync(LimitedPart.Agent);

    [Fact]
    public async Task A_proxy_outlives_more_tunnels_than_it_has_descriptors() => await LoadWithRelaysAsync(LimitedPart.Proxy);

    [Theory]
    [InlineData(256, "whip-broker")]
    [InlineData(512, "whip-broker", "--cluster", "orleans", "--postgres", "Host=127.0.0.1")]
    [InlineData(256, "whip-agent", "--domain", "testdom", "--ports", "1", "127.0.0.1:1")]
    [InlineData(256, "whip-proxy", "--broker", "127.0.0.1:1")]
    public async Task With_too_few_a_program_ends_with_2_and_says_how_many_it_needs(int needed, string program, params string[] args)
    {
        await using var processes = new WhipProcesses(AppContext.BaseDirectory);
        var ended = processes.Start(program, program, ["--tls=false", .. args], openFiles: needed - 1);
        Assert.Equal(2, await ended.ExitCodeAsync());
        Assert.Equal(
            $"{program}: ulimit -n \"{needed - 1}\": is too few open files to serve with; try at least {needed}; two more for each relay", ended.Error[^1]);
    }

    [Theory]
    [InlineData(64, "whip-broker")]
    [InlineData(64, "whip-agent")]
    [InlineData(64, "whip-proxy")]
    [InlineData(100, "whip-broker")]
    public async Task With_too_few_to_read_its_flags_it_ends_in_the_same_way(int openFiles, string program)
    {
        await using var processes = new WhipProcesses(AppContext.BaseDirectory);
        var ended = processes.Start(program, program, ["--help"], openFiles: openFiles);
        Assert.Equal(2, await ended.ExitCodeAsync());
        Assert.Equal(
            $"{program}: ulimit -n \"{openFiles}\": is too few open files to serve with; try at least 256; two more for each relay", ended.Error[^1]);
    }

    private static Task<LimitedWhip> StartAsync(LimitedPart part) =>
        LimitedWhip.StartAsync(AppContext.BaseDirectory, tls: true, part, Limit, CancellationToken.None);

    private static async Task LoadWithRelaysAsync(LimitedPart part)
    {
        await using var whip = await StartAsync(part);
        AssertGoals(await DescriptorScenario.LoadWithRelaysAsync(whip, 100, Length, Patience.Long, CancellationToken.None));
    }

    private static void AssertGoals(IReadOnlyList<ScenarioFigure> figures) => Assert.All(figures, figure => Assert.False(
        figure.Value > figure.Goal,
        string.Create(CultureInfo.InvariantCulture, $"{figure.Name} is {figure.Value}: {string.Join(", ", figure.Parameters)}")));
}
