using System.Security.Authentication;
using Whip.Protocol.Tls;

namespace Whip.Tests.Protocol.Tls;

/// <summary>What a second handshake with the same broker remembers of the first.</summary>
public sealed class SessionTests
{
    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task A_session_is_resumed_and_both_are_judged_again(string host)
    {
        var (broker, client) = (TestCertificates.Shared.MemberIdentity("sessions", "b1"), TestCertificates.Shared.ClientIdentity("a.sessions"));
        var first = await TlsHandshake.RunAsync(broker, client, host, version: SslProtocols.Tls13);
        var second = await TlsHandshake.RunAsync(broker, client, host, version: SslProtocols.Tls13);
        Assert.Equal((false, true), (first.IsResumed, second.IsResumed));
        Assert.All([first, second], handshake => Assert.True(handshake is { Succeeded: true, OfClient.IsTrusted: true, OfServer.IsTrusted: true }));
    }

    [Theory]
    [InlineData("broker1.example", "broker1.example")]
    [InlineData("127.0.0.1", "7f000001-5051.address.invalid")]
    [InlineData("::1", "00000000000000000000000000000001-5051.address.invalid")]
    public void A_server_name_is_the_host_or_made_of_the_address_and_port(string host, string expected) =>
        Assert.Equal(expected, TlsIdentity.ServerName(host, 5051));
}
