using Whip.Client;

namespace Whip.Tests.Client;

public sealed class BrokerChoiceTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_dial_begins_where_the_last_one_was_answered()
    {
        var choice = new BrokerChoice(3, 1, _time);
        Assert.Equal([1, 2, 0], Order(choice));
        choice.Answered(2);
        Assert.Equal([2, 0, 1], Order(choice));
    }

    [Fact]
    public void A_broker_that_failed_is_asked_after_all_others_until_it_answers()
    {
        var choice = new BrokerChoice(3, 0, _time);
        choice.Failed(0);
        choice.Failed(1);
        Assert.Equal([2, 0, 1], Order(choice));
        choice.Answered(0);
        Assert.Equal([0, 2, 1], Order(choice));
    }

    [Fact]
    public void After_a_while_one_dial_finds_out_for_all()
    {
        var choice = new BrokerChoice(2, 0, _time);
        choice.Failed(0);
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(1, choice.Next([false, false]));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(0, choice.Next([false, false]));
        Assert.Equal(1, choice.Next([false, false]));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(0, choice.Next([false, false]));
    }

    private static int[] Order(BrokerChoice choice)
    {
        var tried = new bool[3];
        return [.. Enumerable.Range(0, 3).Select(_ =>
        {
            var at = choice.Next(tried);
            tried[at] = true;
            return at;
        })];
    }
}
