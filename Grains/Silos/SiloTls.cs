using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Orleans.Connections.Security;
using Whip.Protocol.Tls;

namespace Whip.Grains.Silos;

/// <summary>
/// Silos talk over mutual TLS with the brokers' own certificates: the other end is a broker of this cluster, whichever side called. Two clusters
/// with one id and one database, but different CAs, would declare each other's silos dead: a silo that is refused again and again is logged.
/// </summary>
internal sealed class SiloTls(TlsIdentity identity, string clusterId, ILogger log)
{
    // The leaf's URI says who it is; a host name would say less, and is not looked at.
    private const string TargetHost = "silo";

    private const int RefusalsLogged = 3;

    /// <summary>More are not counted; a silo that is accepted makes room.</summary>
    private const int MostRefused = 1000;

    private readonly ConcurrentDictionary<string, int> _refusals = new();

    // The validation of Orleans' options is not told whom it judges. It runs within the handshake, so this flows there.
    private readonly AsyncLocal<string?> _called = new();

    public void Configure(TlsOptions options)
    {
        var server = identity.ServerOptions(PeerRole.Broker);
        var client = identity.ClientOptions(TargetHost, 0);
        options.LocalCertificate = identity.Certificate;
        options.ClientCertificateMode = RemoteCertificateMode.RequireCertificate;
        options.RemoteCertificateValidation = Judge;
        options.OnAuthenticateAsServer = (_, authentication) =>
        {
            var ssl = (SslServerAuthenticationOptions)authentication.SslServerAuthenticationOptions;
            (ssl.ServerCertificate, ssl.ServerCertificateSelectionCallback) = (null, null);
            (ssl.ServerCertificateContext, ssl.CertificateChainPolicy) = (server.ServerCertificateContext, identity.Verifier.ChainPolicy());
            ssl.AllowTlsResume = false;
        };
        options.OnAuthenticateAsClient = (connection, authentication) =>
        {
            _called.Value = connection.RemoteEndPoint?.ToString();
            var ssl = (SslClientAuthenticationOptions)authentication.SslClientAuthenticationOptions;
            (ssl.TargetHost, ssl.ClientCertificates) = (TargetHost, null);
            (ssl.ClientCertificateContext, ssl.CertificateChainPolicy) = (client.ClientCertificateContext, identity.Verifier.ChainPolicy());
            ssl.AllowTlsResume = false;
        };
    }

    private bool Judge(X509Certificate2 leaf, X509Chain? chain, SslPolicyErrors errors)
    {
        var verdict = identity.Verifier.Verify(leaf, chain, errors, PeerRole.Broker, expectedHost: null);
        var isBroker = verdict.Identity?.IsBrokerOf(clusterId) == true;
        if (_called.Value is not { } silo)
        {
            // Whoever called this silo may be anybody.
        }
        else if (isBroker)
        {
            _refusals.TryRemove(silo, out _);
        }
        else if ((_refusals.Count < MostRefused || _refusals.ContainsKey(silo)) && _refusals.AddOrUpdate(silo, 1, (_, count) => count + 1) == RefusalsLogged)
        {
            var problem = verdict.IsTrusted ? $"its certificate is not that of a broker of the cluster {clusterId}" : verdict.Problem;
            SiloLog.Refused(log, silo, RefusalsLogged, problem);
        }

        return isBroker;
    }
}
