using System.Net;
using System.Net.Sockets;
using Whip.Broker.Peers;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Broker.Peers;

public sealed class SelfCheckTests
{
    [Theory]
    [InlineData(false, null)]
    [InlineData(false, "s")]
    [InlineData(true, null)]
    public async Task A_broker_finds_itself_at_its_address(bool tls, string? secret)
    {
        await using var b1 = new PeerBroker("b1", tls, secret);
        await b1.ListenAsync();
        var check = Check(b1, b1.Address.Replace("127.0.0.1", "localhost"));
        await LookAsync(check);
        Assert.Null(check.AnotherAnswersAt);
        Assert.DoesNotContain(b1.Logs.Records, record => record.Event.Name is "AnotherAnswers" or "CannotReachOurselves");
        await Patience.UntilAsync(() => b1.Gate.Count == 0, "the look is over");
    }

    [Theory]
    [InlineData(false, "b2")]
    [InlineData(true, "b2")]
    [InlineData(false, "b1")]
    [InlineData(true, "b1")]
    public async Task Another_broker_or_another_process_at_the_address_is_told_once_and_until_it_is_gone(bool tls, string id)
    {
        await using var b1 = new PeerBroker("b1", tls);
        await using var other = new PeerBroker(id, tls);
        await other.ListenAsync();
        var check = Check(b1, other.Address);
        await LookAsync(check);
        await LookAsync(check);
        Assert.Equal($"--external-grpc {other.Address}", check.AnotherAnswersAt);
        Assert.Single(b1.Logs.Records, record => record.Event.Name == "AnotherAnswers");

        await other.StopListeningAsync();
        await LookAsync(check);
        Assert.Null(check.AnotherAnswersAt);
        Assert.Single(b1.Logs.Records, record => record.Event.Name == "CannotReachOurselves");
    }

    [Theory]
    [InlineData("b1", true, null)]
    [InlineData("b2", true, "--external-dial 127.0.0.1:")]
    [InlineData("b1", false, null)]
    [InlineData("b2", false, "--external-tcp 127.0.0.1:")]
    public async Task Under_TLS_the_other_listeners_are_known_by_their_certificate(string id, bool isDial, string? expected)
    {
        await using var b1 = new PeerBroker("b1", tls: true);
        await b1.ListenAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeAsync(listener, TestCertificates.Shared.MemberIdentity("c1", id));
        var address = $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
        var check = isDial ? Check(b1, b1.Address, externalDial: address) : Check(b1, b1.Address, externalTcp: address);
        await LookAsync(check);
        await serving.WaitAsync(Patience.Long);
        Assert.StartsWith(expected ?? "", check.AnotherAnswersAt ?? "");
        Assert.Equal(expected is null, check.AnotherAnswersAt is null);
    }

    private static SelfCheck Check(PeerBroker broker, string externalGrpc, string? externalTcp = null, string? externalDial = null) =>
        new(broker.Credentials, externalGrpc, externalTcp, externalDial, broker.Logs.CreateLogger("self"), TimeProvider.System);

    private static Task LookAsync(SelfCheck check) => check.LookAsync(default).WaitAsync(Patience.Long);

    private static async Task ServeAsync(TcpListener listener, TlsIdentity identity)
    {
        await using var leg = new Leg(await listener.AcceptSocketAsync());
        await leg.AuthenticateAsServerAsync(identity, PeerRole.Client, default);
        Assert.Equal(0, await leg.ReadAsync(new byte[1]));
    }
}
