using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Whip.Cli.Pki;

/// <summary>What a new leaf says: who it is, for how long and what it is good for.</summary>
internal sealed record LeafRequest(X500DistinguishedName Subject, DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    public KeyType KeyType { get; init; }

    public IReadOnlyList<string> DnsNames { get; init; } = [];

    public IReadOnlyList<IPAddress> Addresses { get; init; } = [];

    public IReadOnlyList<Uri> Uris { get; init; } = [];

    /// <summary>Extended key usages.</summary>
    public IReadOnlyList<string> Purposes { get; init; } = [];
}
