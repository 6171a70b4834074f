using Whip.Protocol.Connect;

namespace Whip.Proxy.Http;

/// <summary>The head of an upstream's answer.</summary>
internal sealed class ResponseHead
{
    private const int SwitchingProtocols = 101;

    private readonly HeadText _head;
    private readonly HopByHop _hopByHop;
    private readonly bool _isHttp10;
    private readonly string? _contentLength;

    /// <exception cref="HttpFormatException">It is not an answer, or does not say where its body ends.</exception>
    public ResponseHead(HeadText head, string method)
    {
        if (!head.TryReadStatus(out var status) || status is < 100 or > 599)
        {
            throw new HttpFormatException("its answer does not begin with an HTTP/1.1 status");
        }

        _head = head;
        _hopByHop = new HopByHop(head);
        _isHttp10 = head.StartLine[7] == '0';
        Status = status;
        _contentLength = ContentLength(head);
        var written = Framing.Of(head, _isHttp10, _contentLength) ?? Framing.ToEnd;
        Framing = method == "HEAD" || status is < 200 or 204 or 304 ? Framing.None : written;
    }

    public int Status { get; }

    public Framing Framing { get; }

    /// <summary>The answer leaves HTTP.</summary>
    public bool IsUpgrade => Status == SwitchingProtocols;

    /// <summary>It leaves HTTP for one of <paramref name="asked"/>, or for several of them in layers.</summary>
    public bool SwitchesTo(IReadOnlyList<string> asked) =>
        _head.Members("Upgrade") is { Length: > 0 } protocols && !protocols.Except(asked, StringComparer.OrdinalIgnoreCase).Any();

    /// <summary>Another head follows this one.</summary>
    public bool IsInterim => Status is < 200 and not SwitchingProtocols;

    /// <summary>
    /// The upstream is ready for another request once the body has been read. An upstream that sends both framings at once gets no other request.
    /// </summary>
    public bool KeepsAlive =>
        !Framing.EndsWithConnection
        && (_head["Transfer-Encoding"] is null || _contentLength is null)
        && (_isHttp10 ? _hopByHop.Names("keep-alive") : !_hopByHop.Names("close"));

    /// <summary>Appends the status and the fields that are for the client; a Content-Length only if no body follows.</summary>
    public void CopyTo(HeadBuilder builder)
    {
        builder.Line($"HTTP/1.1 {_head.StartLine[9..]}");
        foreach (var (name, value) in _head.Fields)
        {
            if (!_hopByHop.Contains(name))
            {
                builder.Field(name, value);
            }
        }

        if (_contentLength is not null && Framing.IsEmpty && Status is not (< 200 or 204))
        {
            builder.Field("Content-Length", _contentLength);
        }

        builder.Field("Via", HeadBuilder.Via);
        if (IsUpgrade)
        {
            builder.Field("Connection", "Upgrade").Field("Upgrade", string.Join(", ", _head.Members("Upgrade")));
        }
    }

    private static string? ContentLength(HeadText head) => head.Values("Content-Length") is not { Length: > 0 } ? null
        : head.Members("Content-Length").Distinct().ToArray() is [var length] ? length
        : throw new HttpFormatException("its Content-Length is not one number");
}
