using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Broker.Peers;

/// <summary>
/// How the brokers of one cluster know each other. Under TLS the leaf's URI decides and nothing else. Plain, who knows the secret is
/// a broker; without a secret who is on this machine is one.
/// </summary>
internal sealed class ClusterCredentials
{
    public const int NonceSize = 32;

    private const string OpenerPurpose = "whip link opener";
    private const string AnswererPurpose = "whip link answerer";
    private const string ForwardPurpose = "whip forward";

    private readonly byte[]? _key;

    public ClusterCredentials(string clusterId, string brokerId, TlsIdentity? tls, string? secret)
    {
        (ClusterId, BrokerId, Tls) = (clusterId, brokerId, tls);
        _key = tls is null && !string.IsNullOrEmpty(secret) ? Encoding.UTF8.GetBytes(secret) : null;
    }

    public string ClusterId { get; }

    /// <summary>Who we are.</summary>
    public string BrokerId { get; }

    public TlsIdentity? Tls { get; }

    /// <summary>Tells this process from any other, one of the same broker id included.</summary>
    public byte[] Process { get; } = RandomNumberGenerator.GetBytes(16);

    /// <summary>Whether a link is challenged for the secret.</summary>
    public bool HasSecret => _key is not null;

    /// <summary>Why the other end of a connection is not that broker; null when it is, or when it has yet to show that it knows the secret.</summary>
    public string? Problem(PeerIdentity? peer, IPEndPoint remote, string brokerId)
    {
        if (Tls is not null)
        {
            return peer is not null && peer.IsBroker(ClusterId, brokerId)
                ? null
                : $"its certificate ({peer}) lacks the URI {Printable.Clean(BrokerUri.Format(ClusterId, brokerId))}";
        }

        return HasSecret || IPAddress.IsLoopback(remote.Address) ? null : "without TLS and --cluster-secret only brokers on one machine link";
    }

    /// <summary>What the opener of a link sends to show that it knows the secret.</summary>
    public byte[] OpenerProof(string opener, string answerer, ReadOnlySpan<byte> openerNonce, ReadOnlySpan<byte> answererNonce) =>
        LinkProof(OpenerPurpose, opener, answerer, openerNonce, answererNonce);

    /// <summary>What the other broker sends to show the same.</summary>
    public byte[] AnswererProof(string opener, string answerer, ReadOnlySpan<byte> openerNonce, ReadOnlySpan<byte> answererNonce) =>
        LinkProof(AnswererPurpose, opener, answerer, openerNonce, answererNonce);

    public static bool IsSame(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> given) => CryptographicOperations.FixedTimeEquals(expected, given);

    /// <summary>What goes with a dial that we forward; empty when the connection itself tells who we are.</summary>
    public string ForwardProof(string toBrokerId, string hostPort, string dialerNames) =>
        HasSecret ? ForwardProof(BrokerId, toBrokerId, hostPort, dialerNames) : "";

    /// <summary>Whether a dial was forwarded by the broker that is said to have, with this target and these dialer's names.</summary>
    public bool IsForwardedBy(PeerIdentity? peer, IPEndPoint remote, string claimedBrokerId, string? proof, string hostPort, string dialerNames) =>
        Problem(peer, remote, claimedBrokerId) is null
        && (!HasSecret || IsSame(
            Encoding.UTF8.GetBytes(ForwardProof(claimedBrokerId, BrokerId, hostPort, dialerNames)), Encoding.UTF8.GetBytes(proof ?? "")));

    private string ForwardProof(string from, string to, string hostPort, string dialerNames) =>
        Convert.ToHexStringLower(Mac(ForwardPurpose, from, to, Encoding.UTF8.GetBytes(hostPort), Encoding.UTF8.GetBytes(dialerNames)));

    private byte[] LinkProof(string purpose, string opener, string answerer, ReadOnlySpan<byte> openerNonce, ReadOnlySpan<byte> answererNonce) =>
        Mac(purpose, opener, answerer, openerNonce, answererNonce);

    private byte[] Mac(string purpose, string from, string to, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key!);
        Append(mac, Encoding.UTF8.GetBytes(purpose));
        Append(mac, Encoding.UTF8.GetBytes(ClusterId));
        Append(mac, Encoding.UTF8.GetBytes(from));
        Append(mac, Encoding.UTF8.GetBytes(to));
        Append(mac, first);
        Append(mac, second);
        return mac.GetHashAndReset();
    }

    /// <summary>With its length in front: no two lists of parts are the same bytes.</summary>
    private static void Append(IncrementalHash mac, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(length, part.Length);
        mac.AppendData(length);
        mac.AppendData(part);
    }
}
