using System.Net;
using System.Security.Cryptography;

namespace Whip.Broker;

/// <summary>The id of a broker, and where agents bring their legs; known once its listeners are bound.</summary>
internal sealed record BrokerIdentity(string BrokerId, HostPort ExternalTcp)
{
    /// <exception cref="WhipOptionException">The certificate is of another broker.</exception>
    public static BrokerIdentity Create(WhipBrokerOptions options, TlsIdentity? tls, IPEndPoint bound) =>
        new(ChooseId(options, tls), ExternalAddress.Of(nameof(options.ExternalTcp), options.ExternalTcp, bound));

    /// <summary>Why the certificate is of no use to the broker, and what to try; null if nothing is known. Without its leg address no dial succeeds.</summary>
    public static (string Problem, string Hint)? Problem(WhipBrokerOptions options, BrokerIdentity self, PeerIdentity names) =>
        !names.Covers(self.ExternalTcp.Host)
            ? ($"covers {names}, but not {self.ExternalTcp.Host}, where agents bring their legs ({{{nameof(options.ExternalTcp)}}})",
                $"whip pki createandsign server {NameFlag(self.ExternalTcp.Host)} {self.ExternalTcp.Host}, or {{{nameof(options.ExternalTcp)}}} HOST:PORT "
                + "with a host that it covers")
            : options.Cluster == ClusterEngine.Orleans && !names.IsBroker(options.ClusterId, self.BrokerId)
                ? ($"({names}) does not name {BrokerUri.Format(options.ClusterId, self.BrokerId)}",
                    $"whip pki createandsign server --cluster-id {options.ClusterId} --broker-id {self.BrokerId}")
            : null;

    private static string NameFlag(string host) => IPAddress.TryParse(host, out _) ? "--ip-address" : "--dns-names";

    private static string ChooseId(WhipBrokerOptions options, TlsIdentity? tls)
    {
        var prefix = BrokerUri.Prefix(options.ClusterId);
        var certified = tls?.Names.Uris.FirstOrDefault(uri => uri.StartsWith(prefix, StringComparison.Ordinal))?[prefix.Length..];
        var id = options.BrokerId ?? certified ?? $"broker-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        if (options.Cluster == ClusterEngine.Embedded || tls is null || tls.Names.IsBroker(options.ClusterId, id))
        {
            return id;
        }

        throw options.BrokerId is null
            ? new WhipOptionException(
                nameof(options.ClusterId), options.ClusterId, $"the certificate ({tls.Names}) names no broker of this cluster",
                $"the cluster's id, or whip pki createandsign server --cluster-id {options.ClusterId} --broker-id NAME")
            : new WhipOptionException(
                nameof(options.BrokerId), id, $"the certificate ({tls.Names}) does not name {BrokerUri.Format(options.ClusterId, id)}",
                $"whip pki createandsign server --cluster-id {options.ClusterId} --broker-id {id}");
    }
}
