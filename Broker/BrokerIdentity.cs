using System.Net;
using System.Security.Cryptography;
using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Broker;

/// <summary>What a broker tells agents about itself, known once its listeners are bound.</summary>
/// <param name="BrokerId">Its name in the cluster.</param>
/// <param name="ExternalTcp">Where legs go.</param>
internal sealed record BrokerIdentity(string BrokerId, HostPort ExternalTcp)
{
    /// <exception cref="WhipOptionException">The certificate is of another broker.</exception>
    public static BrokerIdentity Create(WhipBrokerOptions options, TlsIdentity? tls, IPEndPoint bound) =>
        new(ChooseId(options, tls), ExternalAddress.Of(nameof(options.ExternalTcp), options.ExternalTcp, bound));

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
