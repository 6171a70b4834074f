using System.Net;
using Whip.Protocol.Tls;

namespace Whip.Harness;

/// <summary>Files with what one CA issued, for programs; or no files, if everything runs plain.</summary>
internal sealed class CertificateFiles(string folder, bool tls)
{
    private readonly Certificates? _certificates = tls ? new Certificates() : null;

    /// <summary>Of a broker, reached as 127.0.0.1 or localhost.</summary>
    public WhipTlsOptions Broker() => Write("broker", certificates => certificates.BrokerIdentity);

    /// <summary>Of a broker, reached at another address.</summary>
    public WhipTlsOptions Broker(IPAddress address) =>
        Write("broker", certificates => certificates.Identity(Certificates.BrokerLeaf() with { Addresses = [address] }));

    /// <summary>Of one broker of a cluster, reached as 127.0.0.1 or localhost.</summary>
    public WhipTlsOptions Member(string clusterId, string brokerId) => Write(brokerId, certificates => certificates.MemberIdentity(clusterId, brokerId));

    /// <summary>Of an agent or dialer with this name; <c>*.testdom</c> is any of that domain.</summary>
    public WhipTlsOptions Client(string name) => Write(name.Replace('*', '_'), certificates => certificates.ClientIdentity(name));

    private WhipTlsOptions Write(string prefix, Func<Certificates, TlsIdentity> identity) =>
        _certificates?.WriteFiles(folder, prefix, identity(_certificates)) ?? new WhipTlsOptions { Enabled = false };
}
