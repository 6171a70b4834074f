using System.Text;
using Whip.Client;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Tls;

namespace Whip.Tests.Client;

/// <summary>A dial whose broker says that another one holds the name.</summary>
public sealed class RedirectTests
{
    private const string Accepts = "\r\nWhip-Redirect: accept\r\n";

    private static readonly DialRequest Request = new("instance1.testdom", 5051) { Deadline = TimeSpan.FromSeconds(60) };

    [Theory, PlainAndTls]
    public async Task A_redirect_is_followed_and_the_holder_sees_that(bool tls)
    {
        await using var holder = new RedirectingFront(
            tls, head => head.Contains("\r\nWhip-Redirected: 1\r\n", StringComparison.Ordinal) ? RedirectingFront.Established : "");
        await using var ingress = new RedirectingFront(tls, _ => RedirectingFront.To(holder.Authority));
        await using var stream = await Dialers.To(tls, ingress.Front).DialAsync(Request).WaitAsync(Patience.Long);
        Assert.Equal((1, 1), (ingress.Heads.Count, holder.Heads.Count));
        Assert.All(ingress.Heads.Concat(holder.Heads), head => Assert.Contains("\r\nWhip-Progress: accept\r\n", head));
    }

    [Theory, PlainAndTls]
    public async Task A_loop_is_left_after_two_redirects(bool tls)
    {
        RedirectingFront? ingress = null;
        await using var other = new RedirectingFront(tls, _ => RedirectingFront.To(ingress!.Authority));
        await using var first = ingress = new RedirectingFront(tls, head =>
            head.Contains("\r\nWhip-Redirect", StringComparison.Ordinal) ? RedirectingFront.To(other.Authority) : RedirectingFront.Established);
        await using var stream = await Dialers.To(tls, ingress.Front).DialAsync(Request).WaitAsync(Patience.Long);
        Assert.Contains("\r\nWhip-Redirected: 1\r\n", Assert.Single(other.Heads));
        Assert.Equal(
            [(true, false), (false, true), (false, false)],
            ingress.Heads.Select(head =>
                (head.Contains(Accepts, StringComparison.Ordinal), head.Contains("\r\nWhip-Redirected: 2\r\n", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task A_redirect_that_was_not_accepted_is_a_protocol_error()
    {
        await using var ingress = new RedirectingFront(false, _ => RedirectingFront.To("nowhere"));
        var result = await Dialers.To(false, ingress.Front).TryDialAsync(Request).AsTask().WaitAsync(Patience.Long);
        Assert.Equal(DialOutcome.ProtocolError, result.Outcome);
        Assert.Contains("status 307", result.Reason);
    }

    [Theory]
    [InlineData("HTTP/1.1 421 x\r\n\r\n", false)]
    [InlineData("HTTP/1.1 421 x\r\n\r\n", true)]
    [InlineData("HTTP/1.1 503 x\r\n\r\n", false)]
    public async Task A_holder_that_says_it_cannot_is_left_to_the_ingress_this_once(string answer, bool tls)
    {
        await using var holder = new RedirectingFront(tls, _ => answer);
        await using var ingress = Ingress(tls, holder.Authority);
        var dialer = Dialers.To(tls, ingress.Front);
        for (var i = 1; i <= 3; i++)
        {
            await using var stream = await dialer.DialAsync(Request).WaitAsync(Patience.Long);
            Assert.Equal((2 * i, i), (ingress.Heads.Count, holder.Heads.Count));
        }
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n\r\n", false)]
    [InlineData("", true)]
    [InlineData(null, false)]
    [InlineData(null, true)]
    public async Task A_holder_that_does_not_serve_is_left_to_the_ingress_and_remembered(string? answer, bool tls)
    {
        var time = new FakeTimeProvider();
        await using var holder = new RedirectingFront(tls, _ => answer ?? "");
        if (answer is null)
        {
            await holder.DisposeAsync();
        }

        await using var ingress = Ingress(tls, holder.Authority);
        var dialer = Dialers.To(tls, time, ingress.Front);
        for (var i = 0; i < 3; i++)
        {
            await using var stream = await dialer.DialAsync(Request).WaitAsync(Patience.Long);
            Assert.Equal((2 * (i + 1), answer is null ? 0 : 1), (ingress.Heads.Count, holder.Heads.Count));
        }

        time.Advance(TimeSpan.FromSeconds(60));
        await using var later = await dialer.DialAsync(Request).WaitAsync(Patience.Long);
        Assert.Equal(answer is null ? 0 : 2, holder.Heads.Count);
    }

    [Theory, PlainAndTls]
    public async Task A_silent_holder_costs_a_second(bool tls)
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource();
        await using var holder = FakeDialFront.Silent(tls, asked);
        await using var ingress = Ingress(tls, holder.Authority);
        var dial = Dialers.To(tls, time, ingress.Front).DialAsync(Request);
        await asked.Task.WaitAsync(Patience.Long);
        time.Advance(TimeSpan.FromSeconds(1));
        await using var stream = await dial.WaitAsync(Patience.Long);
    }

    [Theory, PlainAndTls]
    public async Task What_the_holder_says_of_the_dial_is_its_end(bool tls)
    {
        await using var holder = new RedirectingFront(tls, _ => "HTTP/1.1 403 x\r\nWhip-Outcome: port-not-published\r\n\r\n");
        await using var ingress = Ingress(tls, holder.Authority);
        var result = await Dialers.To(tls, ingress.Front).TryDialAsync(Request).AsTask().WaitAsync(Patience.Long);
        Assert.Equal((DialOutcome.PortNotPublished, 1), (result.Outcome, ingress.Heads.Count));
    }

    [Fact]
    public async Task A_location_whose_certificate_is_no_brokers_gets_no_dial()
    {
        foreach (var identity in (TlsIdentity[])[TestCertificates.Shared.OtherCaBrokerIdentity, TestCertificates.Shared.WrongRoleBrokerIdentity])
        {
            var heads = 0;
            await using var holder = new FakeDialFront(identity, async connection => heads += (await connection.ReadHeadAsync()).Length);
            await using var ingress = Ingress(true, holder.Authority);
            await using var stream = await Dialers.To(true, ingress.Front).DialAsync(Request).WaitAsync(Patience.Long);
            Assert.Equal((2, 0), (ingress.Heads.Count, heads));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("localhost")]
    [InlineData(":8010")]
    [InlineData("localhost:0")]
    [InlineData("localhost:65536")]
    [InlineData("a b:80")]
    [InlineData("user@localhost:80")]
    [InlineData("http://localhost:80")]
    [InlineData("caf\u00e9.testdom:80")]
    public async Task A_location_that_is_not_valid_is_not_followed(string? location)
    {
        await using var ingress = Ingress(false, location);
        await using var stream = await Dialers.To(false, ingress.Front).DialAsync(Request).WaitAsync(Patience.Long);
        Assert.Equal(2, ingress.Heads.Count);
    }

    [Fact]
    public async Task A_dialer_configured_not_to_follow_does_not_offer_to()
    {
        await using var ingress = Ingress(false, "localhost:1");
        var options = new WhipDialerOptions { Brokers = [ingress.Authority], FollowRedirects = false, Tls = { Enabled = false } };
        await using var stream = await new WhipDialer(options).DialAsync(Request).WaitAsync(Patience.Long);
        Assert.DoesNotContain("Whip-Redirect", Assert.Single(ingress.Heads));
    }

    [Theory, PlainAndTls]
    public async Task Cancellation_at_the_holder_resets_it_and_asks_nobody_else(bool tls)
    {
        var asked = new TaskCompletionSource();
        var ended = new TaskCompletionSource<bool>();
        await using var holder = new FakeDialFront(tls, async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(Encoding.ASCII.GetString(ConnectResponse.Progress.Span));
            asked.SetResult();
            ended.SetResult(await connection.WaitForEndAsync());
        });
        await using var ingress = Ingress(tls, holder.Authority);
        using var cancel = new CancellationTokenSource();
        var dial = Dialers.To(tls, ingress.Front).TryDialAsync(Request, cancel.Token).AsTask();
        await asked.Task.WaitAsync(Patience.Long);
        await cancel.CancelAsync();
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial.WaitAsync(Patience.Long));
        Assert.Equal(cancel.Token, error.CancellationToken);
        Assert.False(await ended.Task.WaitAsync(Patience.Long));
        Assert.Single(ingress.Heads);
    }

    /// <summary>Sends whoever follows to <paramref name="location"/>, and serves the others.</summary>
    private static RedirectingFront Ingress(bool tls, string? location) =>
        new(tls, head => head.Contains(Accepts, StringComparison.Ordinal) ? RedirectingFront.To(location) : RedirectingFront.Established);
}
