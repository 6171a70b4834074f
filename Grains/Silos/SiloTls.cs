using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Orleans.Connections.Security;
using Whip.Protocol.Tls;

namespace Whip.Grains.Silos;

/// <summary>
/// Mutual TLS between silos with the certificates of their brokers: each side verifies that the other is a broker of this cluster. Two clusters with
/// one id and one database, but different CAs, would declare each other's silos dead; so a silo that is refused repeatedly is logged.
/// </summary>
internal sealed class SiloTls(TlsIdentity identity, string clusterId, ILogger log)
{
    // The URI in the leaf identifies a broker; the host name is not checked.
    private const string TargetHost = "silo";

    private const int RefusalsLogged = 3;

    /// <summary>More silos are not counted, until one of them is accepted.</summary>
    private const int MostRefused = 1000;

    private readonly ConcurrentDictionary<string, int> _refusals = new();

    // What a refused connection carries to the middleware around TLS.
    private static readonly object RefusalKey = new();

    // The validation callback does not get the connection; it runs within the handshake, to which these flow.
    private readonly AsyncLocal<string?> _called = new();
    private readonly AsyncLocal<ConnectionContext?> _connection = new();

    /// <summary>Why the certificate of an incoming connection was refused; null if it was not.</summary>
    public static string? RefusalOf(ConnectionContext connection) => connection.Items.TryGetValue(RefusalKey, out var problem) ? problem as string : null;

    public void Configure(TlsOptions options)
    {
        options.LocalCertificate = identity.Certificate;
        options.ClientCertificateMode = RemoteCertificateMode.RequireCertificate;
        options.RemoteCertificateValidation = Judge;
        options.OnAuthenticateAsServer = (connection, authentication) =>
        {
            _connection.Value = connection;
            var (server, ssl) = (identity.ServerOptions(PeerRole.Broker), (SslServerAuthenticationOptions)authentication.SslServerAuthenticationOptions);
            (ssl.ServerCertificate, ssl.ServerCertificateSelectionCallback) = (null, null);
            (ssl.ServerCertificateContext, ssl.CertificateChainPolicy) = (server.ServerCertificateContext, server.CertificateChainPolicy);
            ssl.AllowTlsResume = false;
        };
        options.OnAuthenticateAsClient = (connection, authentication) =>
        {
            _connection.Value = connection;
            _called.Value = connection.RemoteEndPoint?.ToString();
            var (client, ssl) = (identity.ClientOptions(TargetHost, 0), (SslClientAuthenticationOptions)authentication.SslClientAuthenticationOptions);
            (ssl.TargetHost, ssl.ClientCertificates) = (TargetHost, null);
            (ssl.ClientCertificateContext, ssl.CertificateChainPolicy) = (client.ClientCertificateContext, client.CertificateChainPolicy);
            ssl.AllowTlsResume = false;
        };
    }

    private bool Judge(X509Certificate2 leaf, X509Chain? chain, SslPolicyErrors errors)
    {
        var verdict = identity.Verifier.Verify(leaf, chain, errors, PeerRole.Broker, expectedHost: null);
        var isBroker = verdict.Identity?.IsBrokerOf(clusterId) == true;
        if (isBroker)
        {
            _refusals.TryRemove(_called.Value ?? "", out _);
        }
        else
        {
            Refuse(verdict.IsTrusted ? $"its certificate ({verdict.Identity}) is not that of a broker of the cluster {clusterId}" : verdict.Problem);
        }

        if (isBroker && identity.Denied is { } denied && _connection.Value is { } link)
        {
            var tracked = denied.Track(verdict.Identity!, link.Abort);
            link.ConnectionClosed.Register(tracked.Dispose);
        }

        return isBroker;
    }

    /// <summary>An incoming connection may come from anyone: its listener counts it.</summary>
    private void Refuse(string problem)
    {
        if (_called.Value is not { } silo)
        {
            _connection.Value?.Items.TryAdd(RefusalKey, problem);
        }
        else if ((_refusals.Count < MostRefused || _refusals.ContainsKey(silo)) && _refusals.AddOrUpdate(silo, 1, (_, count) => count + 1) == RefusalsLogged)
        {
            SiloLog.Refused(log, silo, RefusalsLogged, problem);
        }
    }
}
