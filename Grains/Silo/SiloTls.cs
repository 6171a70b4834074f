using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Orleans.Connections.Security;
using Whip.Protocol.Tls;

namespace Whip.Grains.Silo;

/// <summary>Silos talk over mutual TLS with the brokers' own certificates: the other end is a broker of this cluster, whichever side called.</summary>
internal static class SiloTls
{
    // The leaf's URI says who it is; a host name would say less, and is not looked at.
    private const string TargetHost = "silo";

    public static void Configure(TlsOptions options, TlsIdentity identity, string clusterId)
    {
        var server = identity.ServerOptions(PeerRole.Broker);
        var client = identity.ClientOptions(TargetHost, 0);
        options.LocalCertificate = identity.Certificate;
        options.ClientCertificateMode = RemoteCertificateMode.RequireCertificate;
        options.RemoteCertificateValidation = (leaf, chain, errors) => IsBroker(identity, clusterId, leaf, chain, errors);
        options.OnAuthenticateAsServer = (_, authentication) =>
        {
            var ssl = (SslServerAuthenticationOptions)authentication.SslServerAuthenticationOptions;
            (ssl.ServerCertificate, ssl.ServerCertificateSelectionCallback) = (null, null);
            (ssl.ServerCertificateContext, ssl.CertificateChainPolicy) = (server.ServerCertificateContext, identity.Verifier.ChainPolicy());
            ssl.AllowTlsResume = false;
        };
        options.OnAuthenticateAsClient = (_, authentication) =>
        {
            var ssl = (SslClientAuthenticationOptions)authentication.SslClientAuthenticationOptions;
            (ssl.TargetHost, ssl.ClientCertificates) = (TargetHost, null);
            (ssl.ClientCertificateContext, ssl.CertificateChainPolicy) = (client.ClientCertificateContext, identity.Verifier.ChainPolicy());
            ssl.AllowTlsResume = false;
        };
    }

    private static bool IsBroker(TlsIdentity identity, string clusterId, X509Certificate2 leaf, X509Chain? chain, SslPolicyErrors errors) =>
        identity.Verifier.Verify(leaf, chain, errors, PeerRole.Broker, expectedHost: null).Identity?.IsBrokerOf(clusterId) == true;
}
