using Microsoft.Extensions.Time.Testing;
using Whip.Registry.Membership;
using Whip.Registry.Postgres;
using Whip.Tests.Registry.Membership;
using Xunit;

namespace Whip.Tests.Registry.Postgres;

public sealed class LeaseJudgeTests
{
    private static readonly BrokerMember Self = TestMembers.Broker("s");
    private readonly FakeTimeProvider _time = new();
    private readonly PostgresMembershipOptions _options = new() { ConnectionString = "" };
    private readonly DateTime _database = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private readonly MemberList _members = new();
    private readonly LeaseJudge _judge;

    public LeaseJudgeTests() => _judge = new LeaseJudge(_options, _time);

    [Theory]
    [InlineData(0, "a s")]
    [InlineData(3.9, "a s")]
    [InlineData(-3600, "a s")]
    [InlineData(4.1, "a? s")]
    [InlineData(29.9, "a? s")]
    [InlineData(30.1, "s")]
    public void A_lease_is_judged_by_its_age(double age, string members) => Assert.Equal(members, Look(("a", age)));

    [Fact]
    public void In_a_grace_nobody_known_gets_worse_and_anybody_gets_better()
    {
        Assert.Equal("a b? s", Look(("a", 0), ("b", 10)));
        _judge.StartGrace(keepAbsent: false);
        Assert.Equal("a b? s", Look(("a", 60), ("b", 60)));
        Assert.Equal("a b s", Look(("a", 60), ("b", 0)));
        Assert.Equal("a b s", Look(("a", 60), ("b", 60)));
        _time.Advance(_options.Grace);
        Assert.Equal("b? s", Look(("a", 60), ("b", 5)));
    }

    [Fact]
    public void In_a_grace_who_is_not_known_is_taken_in_as_suspect_however_old_the_lease()
    {
        _judge.StartGrace(keepAbsent: false);
        Assert.Equal("a? b s", Look(("a", 1e6), ("b", 1)));
        _time.Advance(_options.Grace);
        Assert.Equal("b s", Look(("a", 1e6), ("b", 1)));
    }

    [Fact]
    public void Another_incarnation_is_not_known()
    {
        Assert.Equal("a s", Look(("a", 0)));
        _judge.StartGrace(keepAbsent: false);
        _members.Update(known => _judge.Judge(Self, known, [Row("a", 10) with { Member = TestMembers.Broker("a") with { Incarnation = 2 } }]));
        Assert.Equal("a? s", TestMembers.Text(_members.Current));
    }

    [Fact]
    public void Who_has_no_row_is_gone_unless_the_rows_may_have_been_lost()
    {
        Look(("a", 0), ("b", 0));
        _judge.StartGrace(keepAbsent: false);
        Assert.Equal("b s", Look(("b", 0)));
        _judge.StartGrace(keepAbsent: true);
        Assert.Equal("b s", Look());
        _judge.StartGrace(keepAbsent: false);
        Assert.Equal("b s", Look());
        _time.Advance(_options.Grace);
        Assert.Equal("s", Look());
    }

    [Fact]
    public void A_jump_of_the_database_s_clock_starts_a_grace()
    {
        _judge.CompareClocks([Row("a", 1)]);
        _time.Advance(TimeSpan.FromSeconds(1));
        _judge.CompareClocks([Row("a", 2)]);
        Assert.False(_judge.IsInGrace);
        _time.Advance(TimeSpan.FromSeconds(1));
        _judge.CompareClocks([Row("a", 3600)]);
        Assert.True(_judge.IsInGrace);
    }

    private string Look(params (string Id, double Age)[] rows)
    {
        _members.Update(known => _judge.Judge(Self, known, [.. rows.Select(r => Row(r.Id, r.Age)), Row("s", 100)]));
        return TestMembers.Text(_members.Current);
    }

    private BrokerRow Row(string id, double age) => new(TestMembers.Broker(id), _database, TimeSpan.FromSeconds(age));
}
