using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Client.Forwarding;

/// <summary>
/// The server's side of a SOCKS5 handshake (RFC 1928, RFC 1929): CONNECT to a domain name. It reads exactly the handshake, at most 771 bytes of it, so
/// that what follows belongs to the stream.
/// </summary>
/// <param name="credentials">What a client has to show; null: nothing.</param>
internal sealed class SocksServer(SocksCredentials? credentials)
{
    // A name and its port.
    private const int MaxField = byte.MaxValue + 2;

    private const byte Version = 5;
    private const byte AuthVersion = 1;
    private const byte NoAuthentication = 0;
    private const byte UsernamePassword = 2;
    private const byte NoAcceptableMethod = 0xFF;
    private const byte Connect = 1;
    private const byte IPv4 = 1;
    private const byte DomainName = 3;
    private const byte IPv6 = 4;

    /// <summary>Reads what the client asks for. A client that is refused here has been told so.</summary>
    /// <exception cref="IOException">The client ended, or speaks something else.</exception>
    public async Task<SocksRequest> ReadAsync(Leg client, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxField];
        if (await AuthenticateAsync(client, buffer, cancellationToken).ConfigureAwait(false) is { } refused)
        {
            return refused;
        }

        var head = await TakeAsync(client, buffer, 4, cancellationToken).ConfigureAwait(false);
        var (version, command, type) = (head.Span[0], head.Span[1], head.Span[3]);
        Expect(version, Version);
        var length = type switch
        {
            IPv4 => 4,
            IPv6 => 16,
            DomainName => (await TakeAsync(client, buffer, 1, cancellationToken).ConfigureAwait(false)).Span[0],
            _ => -1,
        };
        if (length < 0)
        {
            return await RefuseAsync(client, SocksReply.AddressTypeNotSupported, "an address of an unknown type", cancellationToken).ConfigureAwait(false);
        }

        var address = await TakeAsync(client, buffer, length + 2, cancellationToken).ConfigureAwait(false);
        if (command != Connect)
        {
            return await RefuseAsync(client, SocksReply.CommandNotSupported, "another command than CONNECT", cancellationToken).ConfigureAwait(false);
        }

        if (type != DomainName)
        {
            const string Problem = "an IP address: let the proxy resolve names (socks5h://)";
            return await RefuseAsync(client, SocksReply.AddressTypeNotSupported, Problem, cancellationToken).ConfigureAwait(false);
        }

        var name = Encoding.Latin1.GetString(address.Span[..length]);
        var port = BinaryPrimitives.ReadUInt16BigEndian(address.Span[length..]);
        return DialTarget.TryCreate(name, port, out var target, out var problem)
            ? new SocksRequest(target)
            : await RefuseAsync(client, SocksReply.HostUnreachable, problem, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Tells the client how its dial ended.</summary>
    public static ValueTask AnswerAsync(Leg client, DialOutcome outcome, CancellationToken cancellationToken) =>
        WriteAsync(client, Reply(outcome), cancellationToken);

    private static SocksReply Reply(DialOutcome outcome) => outcome switch
    {
        DialOutcome.Connected => SocksReply.Succeeded,
        DialOutcome.NoSuchHost or DialOutcome.NoSuchDomain => SocksReply.HostUnreachable,
        DialOutcome.Denied or DialOutcome.PortNotPublished => SocksReply.NotAllowed,
        DialOutcome.AgentFailed or DialOutcome.Unhealthy => SocksReply.ConnectionRefused,
        DialOutcome.DeadlineExceeded => SocksReply.TtlExpired,
        DialOutcome.BrokerUnreachable => SocksReply.NetworkUnreachable,
        _ => SocksReply.GeneralFailure,
    };

    private async Task<SocksRequest?> AuthenticateAsync(Leg client, byte[] buffer, CancellationToken cancellationToken)
    {
        var head = await TakeAsync(client, buffer, 2, cancellationToken).ConfigureAwait(false);
        Expect(head.Span[0], Version);
        var methods = await TakeAsync(client, buffer, head.Span[1], cancellationToken).ConfigureAwait(false);
        var method = credentials is null ? NoAuthentication : UsernamePassword;
        if (!methods.Span.Contains(method))
        {
            await client.WriteAsync(new[] { Version, NoAcceptableMethod }, cancellationToken).ConfigureAwait(false);
            return new SocksRequest(default, credentials is null ? "it asks to authenticate, and no password is set" : "it offers no password");
        }

        await client.WriteAsync(new[] { Version, method }, cancellationToken).ConfigureAwait(false);
        if (credentials is null)
        {
            return null;
        }

        Expect((await TakeAsync(client, buffer, 1, cancellationToken).ConfigureAwait(false)).Span[0], AuthVersion);
        var isRight = credentials.HasUsername((await TakeFieldAsync(client, buffer, cancellationToken).ConfigureAwait(false)).Span);
        isRight &= credentials.HasPassword((await TakeFieldAsync(client, buffer, cancellationToken).ConfigureAwait(false)).Span);
        await client.WriteAsync(new[] { AuthVersion, (byte)(isRight ? 0 : 1) }, cancellationToken).ConfigureAwait(false);
        return isRight ? null : new SocksRequest(default, "its user name or password is wrong");
    }

    private static void Expect(byte version, byte expected)
    {
        if (version != expected)
        {
            throw new IOException("it does not speak SOCKS5");
        }
    }

    private static async Task<SocksRequest> RefuseAsync(Leg client, SocksReply reply, string problem, CancellationToken cancellationToken)
    {
        await WriteAsync(client, reply, cancellationToken).ConfigureAwait(false);
        return new SocksRequest(default, $"it asks for {problem}");
    }

    // The address that would follow is the outgoing connection's, which is no business of the client's.
    private static ValueTask WriteAsync(Leg client, SocksReply reply, CancellationToken cancellationToken) =>
        client.WriteAsync(new byte[] { Version, (byte)reply, 0, IPv4, 0, 0, 0, 0, 0, 0 }, cancellationToken);

    private static async ValueTask<ReadOnlyMemory<byte>> TakeFieldAsync(Leg client, byte[] buffer, CancellationToken cancellationToken)
    {
        var length = (await TakeAsync(client, buffer, 1, cancellationToken).ConfigureAwait(false)).Span[0];
        return await TakeAsync(client, buffer, length, cancellationToken).ConfigureAwait(false);
    }

    private static async ValueTask<ReadOnlyMemory<byte>> TakeAsync(Leg client, byte[] buffer, int length, CancellationToken cancellationToken)
    {
        var part = buffer.AsMemory(0, length);
        await client.ReadExactlyAsync(part, cancellationToken).ConfigureAwait(false);
        return part;
    }
}

/// <summary>What a client asks for.</summary>
/// <param name="Target">To dial, if nothing is wrong.</param>
/// <param name="Problem">Why it was refused.</param>
internal readonly record struct SocksRequest(DialTarget Target, string? Problem = null);

/// <summary>The user name and the password of a SOCKS client.</summary>
internal sealed class SocksCredentials(string username, string password)
{
    private readonly byte[] _username = Encoding.UTF8.GetBytes(username);
    private readonly byte[] _password = Encoding.UTF8.GetBytes(password);

    /// <summary>Whether the text fits its field.</summary>
    public static bool AreValid(string text) => Encoding.UTF8.GetByteCount(text) is >= 1 and <= 255;

    public bool HasUsername(ReadOnlySpan<byte> bytes) => CryptographicOperations.FixedTimeEquals(bytes, _username);

    public bool HasPassword(ReadOnlySpan<byte> bytes) => CryptographicOperations.FixedTimeEquals(bytes, _password);
}

/// <summary>The codes of a reply (RFC 1928, section 6).</summary>
internal enum SocksReply : byte
{
    Succeeded = 0,
    GeneralFailure = 1,
    NotAllowed = 2,
    NetworkUnreachable = 3,
    HostUnreachable = 4,
    ConnectionRefused = 5,
    TtlExpired = 6,
    CommandNotSupported = 7,
    AddressTypeNotSupported = 8,
}
