using System.Text;

namespace Whip.Tests.Broker.Cluster;

/// <summary>The deny list of the holder, which has not seen the dialer's certificate itself.</summary>
public sealed class ForwardedDenyTests
{
    private const string Target = "instance1.testdom:5051";

    [SkippableTheory]
    [InlineData("DIALER.testdom.")]
    [InlineData("ID")]
    public async Task A_dialer_that_only_the_holder_denies_loses_its_relay_and_is_refused_by_name(string entry)
    {
        using var folder = new TempFolder();
        await using var cluster = await TestCluster.StartAsync(
            tls: true, configure: options => options.Tls.DenyPath = folder.Write(options.BrokerId!, ""));
        await using var agent = await cluster[1].RegisterAsync();
        var (dialer, leg) = await cluster[0].JoinAsync(agent);

        folder.Write("b2", entry == "ID" ? TestCertificates.Shared.ClientIdentity("dialer.testdom").Names.Id! : entry);
        cluster[1].Parts.Files.Look(atOnce: true);
        await Assert.ThrowsAnyAsync<IOException>(() => dialer.ReadExactlyAsync(1)).WaitAsync(Patience.Long);
        await Assert.ThrowsAnyAsync<IOException>(() => leg.ReadExactlyAsync(1)).WaitAsync(Patience.Long);
        dialer.Abort();
        leg.Abort();

        // 503 says that the other broker did not answer in time, as on a busy machine.
        var answer = "";
        await Patience.UntilAsync(
            async () => !(answer = await cluster[0].RefusedAsync(Target)).StartsWith("HTTP/1.1 503 ", StringComparison.Ordinal), "an answer");
        Assert.StartsWith("HTTP/1.1 403 ", answer);
        Assert.Contains("the dialer's certificate (dialer.testdom) is on the deny list of broker b2", answer);

        await using var other = await cluster[0].ConnectAsync("other.testdom");
        await other.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {Target} HTTP/1.1\r\n\r\n"));
        await using var otherLeg = await agent.BringLegAsync(await agent.NextConnectAsync());
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(other).WaitAsync(Patience.Long));
    }
}
