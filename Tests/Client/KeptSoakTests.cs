using Xunit.Abstractions;

namespace Whip.Tests.Client;

/// <summary>No byte of one dial reaches another, no reset becomes a clean end, and no dial fails for what the one before it did.</summary>
public sealed class KeptSoakTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(false, 3000)]
    [InlineData(true, 700)]
    public async Task Thousands_of_dials_do_not_harm_each_other(bool tls, int dials)
    {
        var seed = Random.Shared.Next(1_000_000);
        output.WriteLine($"seed {seed}");
        await using var broker = await TestBroker.StartAsync(tls);
        var wrong = await new KeptSoak(broker, $"{broker.Broker.DialEndPoint}", seed).RunAsync(dials);
        Assert.True(wrong.Count == 0, $"seed {seed}:\n{string.Join('\n', wrong.Take(20))}");
    }

    [Theory]
    [InlineData(DoneFault.Early)]
    [InlineData(DoneFault.Missing)]
    [InlineData(DoneFault.Twice)]
    public async Task A_broker_whose_done_is_broken_does_not_pass(DoneFault fault)
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var breaker = new DoneBreaker(broker.Broker.DialEndPoint!, fault);
        Assert.NotEmpty(await new KeptSoak(broker, breaker.Authority, seed: 1).RunAsync(200));
    }
}
