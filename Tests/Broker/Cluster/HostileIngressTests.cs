using System.Text;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;
using Whip.Tests.Broker.DialFront;

namespace Whip.Tests.Broker.Cluster;

/// <summary>The state table of a kept connection, played to a holder by a peer that shows the certificate of a broker and keeps to no rule.</summary>
public sealed class HostileIngressTests : KeptDialTest
{
    private const string Forwarded = "Whip-Forwarded: b9\r\n";

    [SkippableTheory, PlainAndTls]
    public async Task What_it_may_not_send_in_a_dial_never_reaches_an_agent(bool tls)
    {
        await using var cluster = await TestCluster.StartAsync(tls, brokers: 1);
        await using var agent = await cluster[0].RegisterAsync();
        string[] frames =
            ["02000000", "0200000100", "03000000", "04000000", "05000000", "06000000", "07000000", "00000000", "00040001", "01000001", ""];
        foreach (var bytes in frames)
        {
            await using var ingress = await ConnectAsync(cluster);
            await using var first = await ForwardAsync(agent, ingress);
            await EndAsync(ingress, first);

            // Of the second dial on the connection.
            await using var leg = await ForwardAsync(agent, ingress);
            await (bytes.Length > 0 ? ingress.WriteAsync(Convert.FromHexString(bytes)).AsTask() : ingress.CompleteWritesAsync().AsTask());
            await Assert.ThrowsAnyAsync<IOException>(() => leg.ReadToEndAsync());
            await Assert.ThrowsAnyAsync<IOException>(() => ingress.ReadToEndAsync());
        }

        await cluster[0].AssertNothingLeftAsync();
        Assert.Equal(0, cluster[0].Parts.Kept.Count);
    }

    [SkippableTheory, PlainAndTls]
    public async Task Asked_it_has_nothing_to_say(bool tls)
    {
        await using var cluster = await TestCluster.StartAsync(tls, brokers: 1);
        await using var agent = await cluster[0].RegisterAsync();
        foreach (var bytes in new[] { "02000000", "0000000177", "" })
        {
            await using var ingress = await ConnectAsync(cluster);
            await AskAsync(ingress, Target, Forwarded + "Whip-Deadline: 60000\r\n");
            var connect = await agent.NextConnectAsync();
            await (bytes.Length > 0 ? ingress.WriteAsync(Convert.FromHexString(bytes)).AsTask() : ingress.CompleteWritesAsync().AsTask());
            Assert.Equal(connect.ConnectionID, (await agent.NextAsync(ResponseStream.StreamOneofCase.Cancel)).Cancel.ConnectionID);
            await Assert.ThrowsAnyAsync<IOException>(() => ingress.ReadToEndAsync());
        }
    }

    [SkippableTheory, PlainAndTls]
    public async Task Ended_it_has_nothing_to_say_before_the_next_dial(bool tls)
    {
        await using var cluster = await TestCluster.StartAsync(tls, brokers: 1);
        await using var agent = await cluster[0].RegisterAsync();
        foreach (var bytes in new[] { "01000000", "0000000177", "05000000", "434F4E4E454354" })
        {
            await using var ingress = await ConnectAsync(cluster);
            await using var leg = await ForwardAsync(agent, ingress);
            await ingress.WriteAsync((byte[])[.. End, .. Convert.FromHexString(bytes)]);
            await Assert.ThrowsAnyAsync<IOException>(() => ingress.ReadToEndAsync());
            leg.Abort();
        }

        await cluster[0].AssertNothingLeftAsync();
    }

    [SkippableTheory]
    [InlineData("another broker")]
    [InlineData("no serverAuth")]
    [InlineData("an agent")]
    public async Task It_is_believed_by_its_certificate_on_every_dial(string who)
    {
        await using var cluster = await TestCluster.StartAsync(tls: true, brokers: 1);
        await using var agent = await cluster[0].RegisterAsync();
        var identity = who switch
        {
            "another broker" => TestCertificates.Shared.MemberIdentity("c1", "b8"),
            "no serverAuth" => TestCertificates.Shared.Identity(Certificates.BrokerLeaf() with
            {
                Uris = [new Uri(BrokerUri.Format("c1", "b9"))],
                Purposes = [KeyPurpose.ClientAuth],
            }),
            _ => TestCertificates.Shared.ClientIdentity("instance1.testdom"),
        };
        await using var peer = await ConnectAsync(cluster, identity);

        // What it asks for itself is served, and the connection kept.
        var (leg, _) = await OpenAsync(agent, peer);
        await EndAsync(peer, leg);
        await UntilIdleAsync(cluster[0], 1);
        await AskAsync(peer, Target, Forwarded);
        var answer = Encoding.ASCII.GetString(await peer.ReadToEndAsync());
        Assert.StartsWith("HTTP/1.1 400 ", answer);
        Assert.Contains("Connection: close\r\n", answer);
        await leg.DisposeAsync();
    }

    private static async Task<Leg> ConnectAsync(TestCluster cluster, TlsIdentity? identity = null)
    {
        var leg = await Leg.ConnectAsync(cluster[0].Broker.DialEndPoint!, default).WaitAsync(Patience.Long);
        if (cluster[0].Client("a broker") is not null)
        {
            identity ??= TestCertificates.Shared.MemberIdentity("c1", "b9");
            await leg.AuthenticateAsClientAsync(identity, "127.0.0.1", default).WaitAsync(Patience.Long);
        }

        return leg;
    }

    /// <summary>A forwarded dial up to its 200: the agent's leg.</summary>
    private static async Task<Leg> ForwardAsync(ScriptedAgent agent, Leg ingress)
    {
        await AskAsync(ingress, Target, Forwarded);
        var leg = await agent.BringLegAsync(await agent.NextConnectAsync());
        Assert.Equal($"HTTP/1.1 200 Connection established\r\n{Keep}\r\n", await TestBroker.ReadHeadAsync(ingress));
        return leg;
    }

    private static async Task EndAsync(Leg ingress, Leg leg)
    {
        await ingress.WriteAsync(End);
        Assert.Empty(await leg.ReadToEndAsync());
        await leg.CompleteWritesAsync();
        Assert.Equal((byte[])[.. End, .. Done], await ingress.ReadExactlyAsync(8));
    }
}
