using Whip.Grains.Members;

namespace Whip.Tests.Grains.Members;

/// <summary>Two processes with one broker id, or with one address.</summary>
public sealed class ConflictTests : IDisposable
{
    private readonly TestMember _a = new();

    public void Dispose() => _a.Dispose();

    [Fact]
    public void One_broker_id_is_for_one_process()
    {
        var (self, other) = (_a.Facts("a"), _a.Facts("a", generation: 2) with { ExternalGrpc = "other:1", ExternalTcp = "other:2", ExternalDial = "other:3" });
        var conflict = Conflict.Between(self, other, "c1");
        Assert.StartsWith("the broker id a is in use in cluster c1, by a (grpc other:1, ", conflict?.Problem);
        Assert.Equal((nameof(self.BrokerId), "a"), (conflict?.Fact, conflict?.Value));
        Assert.Null(Conflict.Between(self, other with { Process = self.Process }, "c1"));
    }

    [Theory]
    [InlineData("grpc", nameof(BrokerFacts.ExternalGrpc))]
    [InlineData("tcp", nameof(BrokerFacts.ExternalTcp))]
    [InlineData("dial", nameof(BrokerFacts.ExternalDial))]
    [InlineData("silo", nameof(BrokerFacts.Silo))]
    [InlineData("swapped", nameof(BrokerFacts.ExternalDial))]
    public void An_address_is_for_one_broker(string which, string fact)
    {
        var (theirs, own) = (_a.Facts("a"), _a.Facts("b"));
        var conflict = Conflict.Between(
            which switch
            {
                "grpc" => own with { ExternalGrpc = theirs.ExternalGrpc.ToUpperInvariant() },
                "tcp" => own with { ExternalTcp = theirs.ExternalTcp },
                "dial" => own with { ExternalDial = theirs.ExternalDial },
                "silo" => own with { Silo = SiloAddress.New(theirs.Silo.Endpoint, 7) },
                _ => own with { ExternalDial = theirs.ExternalTcp },
            },
            theirs,
            "c1");
        Assert.Equal(fact, conflict?.Fact);
        Assert.StartsWith("a (grpc a.test:50051, tcp a.test:8000, dial a.test:8010, silo 127.0.0.1:", conflict?.Problem);
        Assert.Contains("has an external address of b (", conflict?.Problem);
        Assert.Null(Conflict.Between(own, theirs, "c1"));
    }

    [Fact]
    public void The_silo_that_became_active_later_gives_way()
    {
        var (earlier, later) = (_a.Facts("a", generation: 9) with { ActiveSince = 5 }, _a.Facts("a") with { ActiveSince = 6 });
        Assert.True(Conflict.GivesWay(later, earlier));
        Assert.False(Conflict.GivesWay(earlier, later));
    }

    [Fact]
    public void Of_two_at_once_the_lower_generation_stays_and_then_the_lower_address()
    {
        var (first, second, third) = (_a.Facts("a"), _a.Facts("a", generation: 2), _a.Facts("b", generation: 2));
        Assert.True(Conflict.GivesWay(second, first));
        Assert.False(Conflict.GivesWay(first, second));
        Assert.NotEqual(Conflict.GivesWay(second, third), Conflict.GivesWay(third, second));
    }

    [Fact]
    public async Task A_process_that_was_away_gives_its_place_to_the_one_that_took_it()
    {
        _a.See(_a.Own);
        _a.See(_a.Own, TestMember.Silo("a", generation: 2));
        _a.Answer(_a.Facts("a", generation: 2) with { ActiveSince = _a.Version - 2 });
        Assert.Contains("the broker id a is in use", await _a.Table.Superseded.WaitAsync(Patience.Long));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-200)]
    public void One_that_is_later_or_not_active_yet_takes_no_place(int activeSince)
    {
        _a.See(_a.Own);
        var since = activeSince < 0 ? 0 : _a.Version + activeSince;
        _a.See(_a.Own, TestMember.Silo("a", generation: 2));
        _a.Answer(_a.Facts("a", generation: 2) with { ActiveSince = since });
        Assert.False(_a.Table.Superseded.IsCompleted);
        Assert.Equal("a", _a.Text);
    }
}
