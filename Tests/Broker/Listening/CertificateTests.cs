using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Whip.Tests.Broker.Listening;

/// <summary>A client whose certificate does not do, at each listener: a closed socket and one line that says why.</summary>
public sealed class CertificateTests
{
    private static readonly (string Client, string Why)[] Clients =
    [
        ("of another CA", "was not issued by our CA"),
        ("expired", "the certificate (a.testdom) is valid from "),
        ("a broker's only", "lacks the extended key usage clientAuth"),
        ("none", "the peer showed no certificate"),
    ];

    public static TheoryData<string, string, string> Cases()
    {
        var cases = new TheoryData<string, string, string>();
        foreach (var listener in new[] { "grpc", "rendezvous", "dial" })
        {
            foreach (var (client, why) in Clients)
            {
                cases.Add(listener, client, why);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_client_certificate_that_does_not_do_ends_in_a_closed_socket_and_one_line(string listener, string client, string why)
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await using var agent = await broker.RegisterAsync();
        var local = await RefusedAsync(Listeners.EndPoint(broker, listener), listener == "grpc", Certificate(client));
        var line = await Listeners.RefusalAsync(broker, local);
        Assert.Contains(why, line);
        await Listeners.AssertRejectedOnceAsync(broker, listener, "refused");

        var (dialer, leg) = await broker.JoinAsync(agent);
        dialer.Abort();
        leg.Abort();
        await broker.AssertNothingLeftAsync();
    }

    private static X509Certificate2? Certificate(string client) => client switch
    {
        "of another CA" => TestCertificates.Shared.OtherCaClientIdentity("a.testdom").Certificate,
        "expired" => TestCertificates.Shared.ExpiredClientIdentity("a.testdom").Certificate,
        "a broker's only" => TestCertificates.Shared.WrongRoleClientIdentity("a.testdom").Certificate,
        _ => null,
    };

    /// <summary>Shakes hands and reads: with TLS 1.3 the refusal comes after the client's own handshake.</summary>
    private static async Task<EndPoint> RefusedAsync(IPEndPoint address, bool http2, X509Certificate2? certificate)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address);
        var local = socket.LocalEndPoint!;
        await using var stream = new SslStream(new NetworkStream(socket));
        var refused = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "127.0.0.1",
                RemoteCertificateValidationCallback = (_, broker, _, _) => broker is not null,
                LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate!,
                ApplicationProtocols = http2 ? [SslApplicationProtocol.Http2] : null,
            }).WaitAsync(Patience.Long);
            if (await stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience.Long) == 0)
            {
                throw new IOException("closed");
            }
        });
        Assert.True(refused is AuthenticationException or IOException, refused.ToString());
        return local;
    }
}
