using System.Text;
using Whip.Client;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;

namespace Whip.Tests.Client;

/// <summary>Which broker a dial goes to when there are several, and when it leaves one for the next.</summary>
public sealed class SeveralBrokersTests
{
    private static readonly string Report = Encoding.ASCII.GetString(ConnectResponse.Progress.Span);
    private static readonly DialRequest Request = new("instance1.testdom", 5051) { Deadline = TimeSpan.FromSeconds(60) };

    [Theory, PlainAndTls]
    public async Task A_broker_that_falls_silent_is_reset_and_the_next_one_asked(bool tls)
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource();
        var ended = new TaskCompletionSource<bool>();
        await using var silent = FakeDialFront.Silent(tls, asked, ended);
        await using var good = FakeDialFront.Good(tls);
        var dialer = Dialers.To(tls, time, silent, good);
        var dial = dialer.DialAsync(Request);
        await asked.Task.WaitAsync(Patience.Long);
        time.Advance(TimeSpan.FromSeconds(1));
        await using var stream = await dial.WaitAsync(Patience.Long);
        Assert.False(await ended.Task.WaitAsync(Patience.Long));

        await using var again = await dialer.DialAsync(Request).WaitAsync(Patience.Long);
        Assert.Equal((1, 2), (silent.Accepted, good.Accepted));
    }

    [Theory, PlainAndTls]
    public async Task A_broker_is_reached_although_an_address_of_its_name_is_dead(bool tls)
    {
        await using var good = FakeDialFront.Good(tls);
        using var name = new TwoAddresses(good.Port);
        var options = new WhipDialerOptions { Brokers = [$"localhost:{good.Port}"] };
        var identity = tls ? TestCertificates.Shared.ClientIdentity("dialer.testdom") : null;
        var dialer = new WhipDialer(options, identity, TimeProvider.System, first: 0, TwoAddresses.Resolve);
        await using var stream = await dialer.DialAsync(Request with { Deadline = TimeSpan.FromSeconds(5) }).WaitAsync(Patience.Long);
    }

    [Theory, PlainAndTls]
    public async Task A_broker_that_was_only_slow_is_asked_again_when_no_other_is_left(bool tls)
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource();
        var connections = 0;
        await using var slow = new FakeDialFront(tls, async connection =>
        {
            if (++connections == 1)
            {
                await connection.ReadHeadAsync();
                asked.SetResult();
            }
            else
            {
                await connection.EstablishAsync();
            }

            await connection.WaitForEndAsync();
        });
        var gone = new FakeDialFront(tls, _ => Task.CompletedTask);
        await gone.DisposeAsync();
        var dial = Dialers.To(tls, time, slow, gone).DialAsync(Request);
        await asked.Task.WaitAsync(Patience.Long);
        time.Advance(TimeSpan.FromSeconds(1));
        await using var stream = await dial.WaitAsync(Patience.Long);
        Assert.Equal(2, slow.Accepted);
    }

    [Theory, PlainAndTls]
    public async Task A_dial_that_its_broker_reports_on_is_not_taken_elsewhere(bool tls)
    {
        var time = new CountedTimers();
        var next = new SemaphoreSlim(0);
        await using var slow = new FakeDialFront(tls, async connection =>
        {
            await connection.ReadHeadAsync();
            for (var i = 0; i < 5; i++)
            {
                await connection.WriteAsync(Report);
                await next.WaitAsync();
            }

            await connection.WriteAsync(FakeDialConnection.Established);
            await connection.EndAsync();
        });
        await using var other = FakeDialFront.Good(tls);
        var dial = Dialers.To(tls, time, slow, other).DialAsync(Request);
        for (var i = 0; i < 5; i++)
        {
            // Set anew when the broker was reached, and by each report.
            await Patience.UntilAsync(() => time.RestartsOf(DialAttempt.SilenceTimeout) == i + 2, "a report that was read");
            time.Advance(TimeSpan.FromSeconds(0.9));
            next.Release();
        }

        await using var stream = await dial.WaitAsync(Patience.Long);
        Assert.Equal(0, other.Accepted);
    }

    [Fact]
    public async Task A_broker_that_reports_without_end_is_held_to_the_deadline()
    {
        var time = new CountedTimers();
        await using var flood = new FakeDialFront(false, async connection =>
        {
            await connection.ReadHeadAsync();
            var many = string.Concat(Enumerable.Repeat(Report, 1000));
            while (true)
            {
                await connection.WriteAsync(many);
            }
        });
        var dial = Dialers.To(false, time, flood).TryDialAsync(Request).AsTask();
        await Patience.UntilAsync(() => time.Restarts > 2000, "reports");
        time.Advance(Request.Deadline);
        Assert.Equal(DialOutcome.DeadlineExceeded, (await dial.WaitAsync(Patience.Long)).Outcome);
    }

    [Fact]
    public async Task A_broker_that_used_up_a_short_deadline_in_silence_is_not_asked_first_again()
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource();
        await using var silent = FakeDialFront.Silent(false, asked);
        await using var good = FakeDialFront.Good(false);
        var dialer = Dialers.To(false, time, silent, good);
        var dial = dialer.TryDialAsync(Request with { Deadline = TimeSpan.FromSeconds(0.5) }).AsTask();
        await asked.Task.WaitAsync(Patience.Long);
        time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal(DialOutcome.DeadlineExceeded, (await dial.WaitAsync(Patience.Long)).Outcome);
        await using var stream = await dialer.DialAsync(Request).WaitAsync(Patience.Long);
    }

    [Theory]
    [InlineData("HTTP/1.1 503 x\r\n\r\n")]
    [InlineData("HTTP/1.1 503 x\r\nWhip-Outcome: unavailable\r\n\r\n")]
    [InlineData("HTTP/1.1 421 x\r\n\r\n")]
    [InlineData("HTTP/1.1 102 x\r\n\r\n")]
    [InlineData("")]
    public async Task A_broker_that_drains_is_left_for_the_next(string answer)
    {
        await using var draining = FakeDialFront.Answering(false, answer);
        await using var good = FakeDialFront.Good(false);
        await using var stream = await Dialers.To(false, draining, good).DialAsync(Request).WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task When_every_broker_is_full_the_dial_fails_as_overloaded()
    {
        await using var full = FakeDialFront.Answering(false, "HTTP/1.1 503 x\r\nContent-Length: 5\r\n\r\nfull\n");
        await using var gone = FakeDialFront.Answering(false, "");
        var result = await Dialers.To(false, full, gone).TryDialAsync(Request).AsTask().WaitAsync(Patience.Long);
        Assert.Equal((DialOutcome.Overloaded, "full"), (result.Outcome, result.Reason));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(407)]
    [InlineData(502)]
    [InlineData(504)]
    public async Task An_answer_about_the_dial_is_not_asked_of_the_next_broker(int status)
    {
        await using var first = FakeDialFront.Answering(false, $"HTTP/1.1 {status} x\r\n\r\n");
        await using var second = FakeDialFront.Good(false);
        var result = await Dialers.To(false, first, second).TryDialAsync(Request).AsTask().WaitAsync(Patience.Long);
        Assert.Equal((DialStatus.FromResponse(status, null), 0), (result.Outcome, second.Accepted));
    }

    [Fact]
    public async Task Many_dialers_begin_at_different_brokers()
    {
        await using var first = FakeDialFront.Good(false);
        await using var second = FakeDialFront.Good(false);
        var options = new WhipDialerOptions { Brokers = [first.Authority, second.Authority], Tls = { Enabled = false } };
        for (var i = 0; i < 1000 && (first.Accepted == 0 || second.Accepted == 0); i++)
        {
            await using var stream = await new WhipDialer(options).DialAsync(Request).WaitAsync(Patience.Long);
        }

        Assert.True(first.Accepted > 0 && second.Accepted > 0);
    }
}
