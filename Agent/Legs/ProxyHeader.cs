using System.Buffers.Binary;
using System.Net;
using System.Text;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;

namespace Whip.Agent.Legs;

/// <summary>
/// The header of the PROXY protocol, version 2 (haproxy's doc/proxy-protocol.txt), by which a service learns who dials: the address of the dialer at the
/// broker that the dial arrived at, and the names of its certificate.
/// </summary>
internal static class ProxyHeader
{
    private const byte LocalCommand = 0x20;
    private const byte ProxyCommand = 0x21;
    private const byte TcpOverIpv4 = 0x11;
    private const byte TcpOverIpv6 = 0x21;
    private const byte AuthorityType = 0x02;
    private const byte SslType = 0x20;
    private const byte CommonNameSubtype = 0x22;

    // Of those that the protocol leaves to its users: one for each name.
    private const byte NameType = 0xE0;
    private const byte HasTlsAndCertificate = 0x03;

    /// <summary>A name that would make it longer is left out, and every one after it: who reads the header may have little room for it.</summary>
    private const int MaxLength = 4096;

    /// <summary>Of a connection that no dialer has asked for, or one whose address is not known.</summary>
    public static ReadOnlyMemory<byte> Local { get; } = (byte[])[.. Signature, LocalCommand, 0, 0, 0];

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    public static ReadOnlyMemory<byte> Of(Connect connect, bool withNames)
    {
        if (!DialerAddress.TryParse(connect.DialerAddress, out var address))
        {
            return Local;
        }

        var isIpv4 = address!.Source.Address.GetAddressBytes().Length == 4;
        var header = new List<byte>([.. Signature, ProxyCommand, isIpv4 ? TcpOverIpv4 : TcpOverIpv6, 0, 0]);
        header.AddRange(address.Source.Address.GetAddressBytes());
        header.AddRange(address.Destination.Address.GetAddressBytes());
        header.AddRange([.. Number(address.Source), .. Number(address.Destination)]);
        if (withNames)
        {
            AddNames(header, connect);
        }

        var bytes = header.ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(Signature.Length + 2), (ushort)(bytes.Length - Signature.Length - 4));
        return bytes;
    }

    private static void AddNames(List<byte> header, Connect connect)
    {
        TryAdd(header, AuthorityType, Encoding.ASCII.GetBytes(connect.Dialled));
        var names = connect.Dialer.Select(name => Encoding.ASCII.GetBytes(Printable.Clean(name))).ToList();

        // A verdict of 0: the certificate was verified.
        if (names.Count > 0 && TryAdd(header, SslType, [HasTlsAndCertificate, 0, 0, 0, 0, .. Item(CommonNameSubtype, names[0])]))
        {
            _ = names.TrueForAll(name => TryAdd(header, NameType, name));
        }
    }

    private static bool TryAdd(List<byte> header, byte type, byte[] value)
    {
        var fits = value.Length > 0 && header.Count + 3 + value.Length <= MaxLength;
        header.AddRange(fits ? Item(type, value) : []);
        return fits;
    }

    private static byte[] Item(byte type, byte[] value) => [type, (byte)(value.Length >> 8), (byte)value.Length, .. value];

    private static byte[] Number(IPEndPoint address) => [(byte)(address.Port >> 8), (byte)address.Port];
}
