using System.Net;
using System.Security.Cryptography;
using Whip.Hosting.Flags;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Broker;

/// <summary>What a broker tells agents about itself, known once its listeners are bound.</summary>
/// <param name="BrokerId">Its name in the cluster.</param>
/// <param name="ExternalTcpHost">Where legs go: the host.</param>
/// <param name="ExternalTcpPort">Where legs go: the port.</param>
internal sealed record BrokerIdentity(string BrokerId, string ExternalTcpHost, int ExternalTcpPort)
{
    /// <summary>Where legs go, <c>host:port</c>.</summary>
    public string ExternalTcp => HostPort.Format(ExternalTcpHost, ExternalTcpPort);

    /// <exception cref="StartupException">A flag must change first.</exception>
    public static BrokerIdentity Create(WhipBrokerOptions options, TlsIdentity? tls, IPEndPoint bound)
    {
        var (host, port) = ExternalAddress.Of("--external-tcp", options.ExternalTcp, "--tcp-listen", bound);
        return new BrokerIdentity(ChooseId(options, tls), host, port);
    }

    private static string ChooseId(WhipBrokerOptions options, TlsIdentity? tls)
    {
        if (!BrokerUri.IsClusterId(options.ClusterId))
        {
            throw new StartupException("--cluster-id", Printable.Clean(options.ClusterId), "not a cluster's id", BrokerUri.ClusterIdHint);
        }

        var prefix = BrokerUri.Prefix(options.ClusterId);
        var certified = tls?.Names.Uris.FirstOrDefault(uri => uri.StartsWith(prefix, StringComparison.Ordinal))?[prefix.Length..];
        var id = options.BrokerId ?? certified ?? $"broker-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        if (!BrokerUri.IsBrokerId(id))
        {
            throw new StartupException("--broker-id", Printable.Clean(id), "not a broker's id", BrokerUri.BrokerIdHint);
        }

        if (options.Cluster == ClusterEngine.Embedded || tls is null || tls.Names.IsBroker(options.ClusterId, id))
        {
            return id;
        }

        throw options.BrokerId is null
            ? new StartupException(
                "--cluster-id", options.ClusterId, $"the certificate ({tls.Names}) names no broker of this cluster",
                $"the cluster's id, or whip pki createandsign server --cluster-id {options.ClusterId} --broker-id NAME")
            : new StartupException(
                "--broker-id", id, $"the certificate ({tls.Names}) does not name {BrokerUri.Format(options.ClusterId, id)}",
                $"whip pki createandsign server --cluster-id {options.ClusterId} --broker-id {id}");
    }
}
