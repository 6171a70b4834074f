using System.Net;
using System.Net.Sockets;
using Whip.Broker.Cluster;
using Whip.Protocol.Legs;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Tests.Broker.Cluster;

/// <summary>A broker looks whether its addresses lead to itself, by the certificate that it finds there.</summary>
public sealed class SelfCheckTests : IDisposable
{
    private readonly CapturedLogs _logs = new();

    public void Dispose() => _logs.Dispose();

    [SkippableFact]
    public async Task A_broker_finds_itself_at_all_its_addresses_and_does_not_mind_its_own_look()
    {
        await using var cluster = await TestCluster.StartAsync(tls: true, brokers: 1);
        var broker = cluster[0];
        await Patience.UntilAsync(() => broker.Parts.IsReady, "the first look");
        var self = broker.Parts.Cluster!.Members.Find("b1")!;
        var check = Check("b1", $"localhost:{self.ExternalGrpc.Port}", $"{self.ExternalTcp}", $"{self.ExternalDial}");
        await CheckAsync(check);
        Assert.Null(check.AnotherAnswersAt);
        Assert.DoesNotContain(_logs.Records, record => record.Event.Name is "AnotherAnswers" or "CannotReachOurselves");
        await broker.AssertNothingLeftAsync();
        Assert.DoesNotContain(broker.Logs.Records, record => record.Event.Name is "Refused" or "LegRefused");
    }

    [Fact]
    public async Task Another_broker_at_the_address_is_told_once_and_until_it_is_gone()
    {
        var (listener, address) = Listen();
        using (listener)
        {
            var check = Check("b1", address);
            for (var i = 0; i < 2; i++)
            {
                var serving = ServeAsync(listener, "b2");
                await CheckAsync(check);
                await serving.WaitAsync(Patience.Long);
            }

            Assert.Equal($"--external-grpc {address}", check.AnotherAnswersAt);
            Assert.True(check.HasChecked);
            Assert.Single(_logs.Records, record => record.Event.Name == "AnotherAnswers");
            listener.Stop();
            await CheckAsync(check);
            Assert.Null(check.AnotherAnswersAt);
            Assert.Single(_logs.Records, record => record.Event.Name == "CannotReachOurselves");
        }
    }

    [Theory]
    [InlineData("b1", null)]
    [InlineData("b2", "--external-dial 127.0.0.1:")]
    public async Task Every_address_is_looked_at(string id, string? expected)
    {
        var (grpc, grpcAddress) = Listen();
        var (tcp, tcpAddress) = Listen();
        var (dial, dialAddress) = Listen();
        using (grpc)
        using (tcp)
        using (dial)
        {
            var serving = Task.WhenAll(ServeAsync(grpc, "b1"), ServeAsync(tcp, "b1"), ServeAsync(dial, id));
            var check = Check("b1", grpcAddress, tcpAddress, dialAddress);
            await CheckAsync(check);
            await serving.WaitAsync(Patience.Long);
            Assert.StartsWith(expected ?? "", check.AnotherAnswersAt ?? "");
            Assert.Equal(expected is null, check.AnotherAnswersAt is null);
        }
    }

    private static Task CheckAsync(SelfCheck check) => check.CheckAsync(default).WaitAsync(Patience.Long);

    private static (TcpListener Listener, string Address) Listen()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (listener, $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
    }

    private static async Task ServeAsync(TcpListener listener, string id)
    {
        await using var leg = new Leg(await listener.AcceptSocketAsync());
        await leg.AuthenticateAsServerAsync(TestCertificates.Shared.MemberIdentity("c1", id), PeerRole.Client, default);
        Assert.Equal(0, await leg.ReadAsync(new byte[1]));
    }

    private SelfCheck Check(string id, params string[] addresses) => new(
        "c1",
        id,
        TestCertificates.Shared.MemberIdentity("c1", id),
        [.. new[] { "--external-grpc", "--external-tcp", "--external-dial" }.Zip(addresses.Select(text => OptionText.EndPoint("address", text)))],
        _logs.CreateLogger("self"),
        TimeProvider.System);
}
