using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;
using Whip.Tests.Client;

namespace Whip.Tests.Broker.Dialing;

/// <summary>What an ingress makes of a holder's answers, and which of its connections it keeps.</summary>
public sealed class HolderDialerTests
{
    [Fact]
    public async Task Another_broker_is_reached_although_an_address_of_its_name_is_dead()
    {
        await using var run = new HolderRun(tls: false, TimeProvider.System, resolve: TwoAddresses.Resolve);
        var holder = run.Add(ServeAllAsync);
        using var name = new TwoAddresses(holder.ExternalDial.Port);
        await using var stream = await run.DialAsync(run.Join("b2", HostPort.Of("broker.test", name.Port)));
        Assert.Equal(1, run.Accepted(holder));
    }

    [Theory, PlainAndTls]
    public async Task A_connection_carries_one_forwarded_dial_after_the_other(bool tls)
    {
        await using var run = new HolderRun(tls);
        var holder = run.Add(ServeAllAsync);
        for (var i = 0; i < 3; i++)
        {
            await run.ExchangeAsync(holder);
        }

        Assert.Equal(1, run.Accepted(holder));
        Assert.Contains("whip_broker_kept_connections{listener=\"holder\"} 1\n", await run.ScrapeAsync());
        Assert.Contains("whip_broker_kept_reused_total{listener=\"holder\"} 2\n", await run.ScrapeAsync());
        Assert.Contains("whip_broker_kept_stale_total{listener=\"holder\"} 0\n", await run.ScrapeAsync());
    }

    [Theory]
    [InlineData(false, 404, DialOutcome.NoSuchHost)]
    [InlineData(true, 404, DialOutcome.NoSuchHost)]
    [InlineData(false, 421, DialOutcome.NotHolder)]
    [InlineData(true, 421, DialOutcome.NotHolder)]
    [InlineData(true, 504, DialOutcome.DeadlineExceeded)]
    public async Task A_refusal_leaves_the_connection_to_the_next_dial(bool tls, int status, DialOutcome outcome)
    {
        await using var run = new HolderRun(tls);
        var holder = run.Add(async connection =>
        {
            var head = await connection.ReadHeadAsync();
            Assert.Contains("\r\nWhip-Forwarded: b1\r\n", head);
            await connection.WriteAsync(KeptFront.Refusal(KeptFront.Word(head), status, "as the holder says"));
            await ServeAllAsync(connection);
        });
        var result = await run.TryDialAsync(holder);
        Assert.Equal((outcome, "as the holder says"), (result.Outcome, result.Reason));
        await run.UntilIdleAsync(1);
        await run.ExchangeAsync(holder);
        Assert.Equal(1, run.Accepted(holder));
    }

    [Theory]
    [InlineData("HTTP/1.1 404 x\r\nContent-Length: 5\r\n\r\nabcde", DialOutcome.NoSuchHost)]
    [InlineData("HTTP/1.1 421 x\r\nContent-Length: 2000\r\n{KEEP}\r\nabcde", DialOutcome.NotHolder)]
    [InlineData("HTTP/1.1 404 x\r\nContent-Length: 5\r\n{KEEP}\r\nabcdefgh", DialOutcome.NoSuchHost)]
    [InlineData("HTTP/1.1 404 x\r\nContent-Length: 5\r\nConnection: Whip-Keep\r\nWhip-Keep: ffffffffffffffff\r\n\r\nabcde", DialOutcome.BrokerUnreachable)]
    [InlineData("HTTP/1.1 200 x\r\nConnection: Whip-Keep\r\nWhip-Keep: ffffffffffffffff\r\n\r\n", DialOutcome.BrokerUnreachable)]
    [InlineData("HTTP/1.1 200 x\r\nConnection: Whip-Keep\r\n\r\n", DialOutcome.BrokerUnreachable)]
    [InlineData("HTTP/1.1 307 x\r\nWhip-Location: 127.0.0.1:1\r\nContent-Length: 1\r\n{KEEP}\r\nx", DialOutcome.BrokerUnreachable)]
    [InlineData("HTTP/1.1 299 x\r\nContent-Length: 1\r\n{KEEP}\r\nx", DialOutcome.BrokerUnreachable)]
    [InlineData("\0\0\0\u0001x", DialOutcome.BrokerUnreachable)]
    [InlineData("\u0003\0\0\0", DialOutcome.BrokerUnreachable)]
    [InlineData("\u0006\0\0\0HTTP/1.1 200 x\r\n{KEEP}\r\n", DialOutcome.BrokerUnreachable)]
    [InlineData("", DialOutcome.BrokerUnreachable)]
    public async Task Asked_a_holder_that_answers_as_it_may_not_loses_its_connection(string answer, DialOutcome outcome)
    {
        foreach (var tls in new[] { false, true })
        {
            await using var run = new HolderRun(tls);
            var ended = new TaskCompletionSource();
            var holder = run.Add(async connection =>
            {
                var head = await connection.ReadHeadAsync();
                var keep = $"Connection: Whip-Keep\r\nWhip-Keep: {KeptFront.Word(head)}\r\n";
                await connection.WriteAsync(answer.Replace("{KEEP}", keep, StringComparison.Ordinal));
                if (answer.Length == 0 || answer.Contains("2000", StringComparison.Ordinal))
                {
                    await connection.EndAsync();
                }

                await connection.WaitForEndAsync();
                ended.SetResult();
            });
            Assert.Equal(outcome, (await run.TryDialAsync(holder)).Outcome);
            await ended.Task.WaitAsync(Patience.Long);
            await run.UntilIdleAsync(0);
        }
    }

    [Theory, PlainAndTls]
    public async Task A_holder_that_does_not_keep_gives_the_bare_stream(bool tls)
    {
        await using var run = new HolderRun(tls);
        var holder = run.Add(async connection =>
        {
            await connection.EstablishAsync();
            await connection.EchoAsync();
        });
        await using (var stream = await run.DialAsync(holder))
        {
            Assert.IsType<Leg>(stream);
            await stream.WriteAsync("bare"u8.ToArray());
            await stream.CompleteWritesAsync();
            Assert.Equal("bare"u8.ToArray(), await stream.ReadToEndAsync());
        }

        Assert.Equal(0, run.Connections.Kept);
    }

    [Theory]
    [InlineData("another broker")]
    [InlineData("another cluster")]
    [InlineData("no serverAuth")]
    public async Task A_holder_must_prove_which_broker_it_is_on_every_new_connection(string who)
    {
        await using var run = new HolderRun(tls: true);
        var wrong = who switch
        {
            "another broker" => TestCertificates.Shared.MemberIdentity("c1", "b3"),
            "another cluster" => TestCertificates.Shared.MemberIdentity("c2", "b2"),
            _ => TestCertificates.Shared.Identity(Certificates.BrokerLeaf() with
            {
                Uris = [new Uri(BrokerUri.Format("c1", "b2"))],
                Purposes = [KeyPurpose.ClientAuth],
            }),
        };

        var holder = run.Add(ServeAllAsync, identity: wrong);
        for (var i = 0; i < 2; i++)
        {
            var result = await run.TryDialAsync(holder);
            Assert.Equal(DialOutcome.BrokerUnreachable, result.Outcome);
            Assert.Equal((0, i + 1), (run.Connections.Kept, run.Accepted(holder)));
        }
    }

    [Theory, PlainAndTls]
    public async Task Idle_connections_to_a_broker_that_has_left_or_moved_are_ended(bool tls)
    {
        await using var run = new HolderRun(tls);
        var ended = new TaskCompletionSource();
        var holder = run.Add(async connection =>
        {
            try
            {
                await ServeAllAsync(connection);
            }
            finally
            {
                ended.SetResult();
            }
        });
        await run.ExchangeAsync(holder);
        var stream = await run.DialAsync(holder);
        run.Leave(holder);

        // A dial that is on goes on, and its connection ends with it.
        Assert.False(ended.Task.IsCompleted);
        await stream.DisposeAsync();
        await ended.Task.WaitAsync(Patience.Long);

        var other = run.Add(ServeAllAsync);
        await run.ExchangeAsync(other);
        run.Join("b9", HostPort.Of("127.0.0.1", 1));
        Assert.Equal(1, run.Connections.Kept);
        run.Leave(other);
        Assert.Equal(0, run.Connections.Kept);
    }

    [Fact]
    public async Task A_broker_that_is_new_is_not_flooded_with_handshakes()
    {
        await using var run = new HolderRun(tls: true);
        var most = 2 * Environment.ProcessorCount;
        var refusing = new TaskCompletionSource();
        await using var front = new FakeDialFront(tls: false, async connection =>
        {
            await refusing.Task;
            connection.Reset();
        });
        var holder = run.Join("b2", HostPort.Of("127.0.0.1", front.Port));
        var dials = Enumerable.Range(0, 3 * most).Select(_ => run.TryDialAsync(holder)).ToList();

        // Each dial has begun its handshake, or waits for its turn.
        await Patience.UntilAsync(() => front.Accepted >= most, "the first handshakes");
        Assert.Equal(most, front.Accepted);
        refusing.SetResult();
        Assert.All(await Task.WhenAll(dials), result => Assert.Equal(DialOutcome.BrokerUnreachable, result.Outcome));
        Assert.Equal(3 * most, front.Accepted);
    }

    private static async Task ServeAllAsync(FakeDialConnection connection)
    {
        while (await connection.ServeAsync())
        {
        }
    }
}
