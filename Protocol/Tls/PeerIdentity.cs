using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Names;

namespace Whip.Protocol.Tls;

/// <summary>Who a leaf says it is: its subject alternative names, and whether it may be a broker's. The common name is never read.</summary>
internal sealed class PeerIdentity
{
    private const string SubjectAlternativeName = "2.5.29.17";
    private static readonly Asn1Tag DnsNameTag = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);
    private static readonly Asn1Tag AddressTag = new(TagClass.ContextSpecific, 7);

    private readonly List<string> _dnsNames = [];
    private readonly List<IPAddress> _addresses = [];
    private readonly List<string> _uris = [];
    private readonly List<string> _names = [];

    private PeerIdentity()
    {
    }

    /// <summary>Normalised; a wildcard is <c>*.</c> and a normalised name.</summary>
    public IReadOnlyList<string> DnsNames => _dnsNames;

    public IReadOnlyList<IPAddress> Addresses => _addresses;

    public IReadOnlyList<string> Uris => _uris;

    /// <summary>All of them, printable and DNS names normalised, in the leaf's order: for messages and policies that match on text.</summary>
    public IReadOnlyList<string> Names => _names;

    public DateTimeOffset NotAfter { get; private init; }

    /// <summary>The issuer's key id and the serial number, as a <see cref="DenyList"/> has them; null if the leaf does not say who issued it.</summary>
    public string? Id { get; private init; }

    /// <summary>Without it the leaf is not a broker's, whatever its URIs say.</summary>
    public bool HasServerAuth { get; private init; }

    /// <summary>Reads the names; a leaf whose names are not well formed has those that stand before the fault.</summary>
    public static PeerIdentity FromLeaf(X509Certificate2 leaf)
    {
        var identity = new PeerIdentity { HasServerAuth = KeyPurpose.Has(leaf, KeyPurpose.ServerAuth), NotAfter = leaf.NotAfter, Id = IdOf(leaf) };
        if (leaf.Extensions[SubjectAlternativeName] is { } extension)
        {
            try
            {
                var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
                while (names.HasData)
                {
                    identity.ReadName(names);
                }
            }
            catch (Exception e) when (e is AsnContentException or ArgumentException)
            {
            }
        }

        return identity;
    }

    /// <summary>
    /// Whether the leaf names this host: an address exactly, a DNS name exactly or by a wildcard that stands for its first
    /// label and no more. A wildcard over a single label (<c>*.testdom</c>) counts.
    /// </summary>
    public bool Covers(string nameOrAddress)
    {
        if (DnsName.TryNormalize(nameOrAddress, out var name))
        {
            var dot = name.IndexOf('.');
            return _dnsNames.Contains(name) || (dot > 0 && _dnsNames.Contains($"*{name[dot..]}"));
        }

        return IPAddress.TryParse(nameOrAddress, out var address)
            && _addresses.Exists(candidate => candidate.GetAddressBytes().AsSpan().SequenceEqual(address.GetAddressBytes()));
    }

    /// <summary>Whether the leaf is that of one broker of one cluster.</summary>
    public bool IsBroker(string clusterId, string brokerId) => IsBroker(BrokerUri.Format(clusterId, brokerId));

    /// <inheritdoc cref="IsBroker(string, string)"/>
    public bool IsBroker(string brokerUri) => HasServerAuth && _uris.Contains(brokerUri);

    /// <summary>Whether the leaf is that of any broker of one cluster.</summary>
    public bool IsBrokerOf(string clusterId) => HasServerAuth && _uris.Exists(uri => uri.StartsWith(BrokerUri.Prefix(clusterId), StringComparison.Ordinal));

    public override string ToString() => _names.Count == 0 ? "(no names)" : Printable.Clean(string.Join(", ", _names));

    private static string? IdOf(X509Certificate2 leaf)
    {
        try
        {
            var issuer = leaf.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier;
            return issuer is { } keyId ? DenyList.Id(Convert.ToHexString(keyId.Span), leaf.SerialNumber) : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private void ReadName(AsnReader names)
    {
        var tag = names.PeekTag();
        if (tag.HasSameClassAndValue(DnsNameTag))
        {
            AddDnsName(names.ReadCharacterString(UniversalTagNumber.IA5String, DnsNameTag));
        }
        else if (tag.HasSameClassAndValue(UriTag))
        {
            var uri = names.ReadCharacterString(UniversalTagNumber.IA5String, UriTag);
            _uris.Add(uri);
            _names.Add(Printable.Clean(uri));
        }
        else if (tag.HasSameClassAndValue(AddressTag))
        {
            var address = new IPAddress(names.ReadOctetString(AddressTag));
            _addresses.Add(address);
            _names.Add(address.ToString());
        }
        else
        {
            names.ReadEncodedValue();
        }
    }

    private void AddDnsName(string text)
    {
        var wildcard = text.StartsWith("*.", StringComparison.Ordinal);
        if (DnsName.TryNormalize(wildcard ? text.AsSpan(2) : text, out var name))
        {
            name = wildcard ? $"*.{name}" : name;
            _dnsNames.Add(name);
            _names.Add(name);
        }
        else
        {
            _names.Add(Printable.Clean(text));
        }
    }
}
