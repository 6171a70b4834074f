using System.Globalization;
using System.Net;
using Microsoft.Extensions.Primitives;
using Whip.Protocol.Connect;

namespace Whip.Proxy.Http;

/// <summary>The head of a client's request, for a tunnel or to be forwarded.</summary>
internal sealed class ClientRequest
{
    private const string MaxForwardsHeader = "Max-Forwards";

    // Parts of the names of fields that hold credentials, of today and of tomorrow.
    private static readonly string[] Secret = ["auth", "cookie", "key", "password", "secret", "session", "token"];

    private readonly HeadText _head;
    private readonly HopByHop _hopByHop;

    /// <exception cref="HttpFormatException">It is not a request, or one that two readers could read differently.</exception>
    public ClientRequest(HeadText head)
    {
        if (head.StartLine.Split(' ') is not [{ Length: > 0 } method, { Length: > 0 } target, "HTTP/1.1" or "HTTP/1.0"]
            || method.AsSpan().ContainsAnyExcept(HeadText.TokenCharacters))
        {
            throw new HttpFormatException("its request line is not METHOD TARGET HTTP/1.1");
        }

        if (target.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw new HttpFormatException("its target has characters that are not ASCII: percent-encode them");
        }

        _head = head;
        _hopByHop = new HopByHop(head);
        (Method, Target) = (method, target);
        IsHttp10 = head.StartLine.EndsWith('0');
        Upgrades = !IsHttp10 && _hopByHop.Names("upgrade")
            ? [.. head.Members("Upgrade").Where(protocol => !protocol.StartsWith("h2c", StringComparison.OrdinalIgnoreCase))]
            : [];
        Framing = Framing.Of(head, IsHttp10, head["Content-Length"]) ?? Framing.None;
        if (Framing.IsChunked && head["Content-Length"] is not null)
        {
            throw new HttpFormatException("it has both Content-Length and Transfer-Encoding");
        }

        if (IsConnect && !Framing.IsEmpty)
        {
            throw new HttpFormatException("a CONNECT has no body");
        }

        MaxForwards = Method is "TRACE" or "OPTIONS" ? ReadMaxForwards(head) : null;
        if (head.Values("Host").Length > 1)
        {
            throw new HttpFormatException("it has several Host fields");
        }
    }

    public string Method { get; }

    /// <summary>As it was written: visible ASCII.</summary>
    public string Target { get; }

    public bool IsHttp10 { get; }

    public bool IsConnect => Method == "CONNECT";

    public Framing Framing { get; }

    /// <summary>The host that it names, and its port if it does: in its target, else in Host.</summary>
    public string? Authority => ForwardTarget.AuthorityOf(Target) ?? _head.Values("Host").FirstOrDefault();

    /// <summary>Whether the client lets its connection stay open.</summary>
    public bool KeepsAlive => !IsHttp10 && !_hopByHop.Names("close");

    /// <summary>The client may hold its body back until an interim answer asks for it.</summary>
    public bool AwaitsContinue => _head.Members("Expect").Contains("100-continue", StringComparer.OrdinalIgnoreCase);

    /// <summary>How many proxies a TRACE or an OPTIONS may still pass; at 0 it is answered here.</summary>
    public long? MaxForwards { get; }

    /// <summary>The protocols that the client accepts instead of HTTP. h2c is not passed on: its requests could not be checked here.</summary>
    public IReadOnlyList<string> Upgrades { get; }

    public StringValues this[string name] => _head.Values(name);

    /// <summary>The head that goes upstream: the client's fields without those of its own connection, and the proxy's own.</summary>
    public byte[] ToUpstream(ForwardTarget target, string requestId, IPAddress client)
    {
        var builder = new HeadBuilder().Line($"{Method} {target.Path} HTTP/1.1").Field("Host", target.HostHeader);
        foreach (var (name, value) in _head.Fields)
        {
            var isOurs = name.ToUpperInvariant() is "HOST" or "X-FORWARDED-FOR" or "VIA" || (MaxForwards is not null && IsMaxForwards(name));
            if (!isOurs && !_hopByHop.Contains(name))
            {
                builder.Field(name, value);
            }
        }

        if (MaxForwards is { } forwards)
        {
            builder.Field(MaxForwardsHeader, $"{forwards - 1}");
        }

        builder.Field("X-Forwarded-For", string.Join(", ", _head.Values("X-Forwarded-For").Append(client.ToString())));
        builder.Field("Via", string.Join(", ", _head.Values("Via").Append(HeadBuilder.Via)));
        builder.Field(RequestId.Header, requestId);
        if (Upgrades.Count > 0)
        {
            builder.Field("Connection", "Upgrade").Field("Upgrade", string.Join(", ", Upgrades));
        }

        if (Framing.IsChunked)
        {
            builder.Field("Transfer-Encoding", "chunked");
        }
        else if (_head["Content-Length"] is not null)
        {
            builder.Field("Content-Length", $"{Framing.Length}");
        }

        return builder.ToBytes();
    }

    /// <summary>The head as it came, for the answer to a TRACE, without what may be a credential.</summary>
    public byte[] ToTrace()
    {
        var builder = new HeadBuilder().Line(_head.StartLine);
        foreach (var (name, value) in _head.Fields.Where(field => !Secret.Any(part => field.Key.Contains(part, StringComparison.OrdinalIgnoreCase))))
        {
            builder.Field(name, value);
        }

        return builder.ToBytes();
    }

    private static bool IsMaxForwards(string name) => name.Equals(MaxForwardsHeader, StringComparison.OrdinalIgnoreCase);

    // A larger number is as good as the largest that can be counted down here.
    private static long? ReadMaxForwards(HeadText head) => head.Values(MaxForwardsHeader) switch
    {
        [] => null,
        [{ Length: > 0 } text] when text.All(char.IsAsciiDigit) =>
            long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : long.MaxValue,
        _ => throw new HttpFormatException($"its {MaxForwardsHeader} is not a number"),
    };
}
