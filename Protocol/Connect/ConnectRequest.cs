using System.Text;
using Whip.Protocol.Dialing;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Protocol.Connect;

/// <summary>The request of a dial, <c>CONNECT instance1.testdom:5051 HTTP/1.1</c> with its optional Whip headers (docs/wire.md).</summary>
internal sealed record ConnectRequest(DialTarget Target)
{
    public const string WaitHeader = "Whip-Wait";
    public const string DeadlineHeader = "Whip-Deadline";
    public const string ProgressHeader = "Whip-Progress";
    public const string RedirectHeader = "Whip-Redirect";
    public const string RedirectedHeader = "Whip-Redirected";
    public const string ForwardedHeader = "Whip-Forwarded";
    public const string DialerHeader = "Whip-Dialer";
    public const string DialerIdHeader = "Whip-Dialer-Id";
    public const string DialerAddressHeader = "Whip-Dialer-Address";
    public const string ZoneHeader = "Whip-Zone";
    public const string KeepHeader = "Whip-Keep";

    private const string Accept = "accept";

    /// <summary>A dial is redirected more than once only while the brokers disagree about the holder of the name.</summary>
    public const int MaxRedirects = 2;

    /// <summary>A longer wait is refused.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(60);

    /// <summary>The longest wait and a minute for the dial itself; a longer deadline counts as this.</summary>
    public static readonly TimeSpan MaxDeadline = TimeSpan.FromSeconds(120);

    // The encoded form, so that two requests are equal when they say the same.
    private readonly string? _dialer;

    /// <summary>How long to wait for an agent when the name is not live, in whole seconds on the wire.</summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>What remains of the whole dial, the wait included, in milliseconds on the wire.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>The dialer can follow a redirect to the holder.</summary>
    public bool AcceptsRedirect { get; init; }

    /// <summary>The dialer reads 102s, and gives up a broker that sends none.</summary>
    public bool AcceptsProgress { get; init; }

    /// <summary>How many redirects led here, 0 to <see cref="MaxRedirects"/>.</summary>
    public int Redirected { get; init; }

    /// <summary>The id of the ingress, for the holder; believed from a broker only.</summary>
    public string? Forwarded { get; init; }

    /// <summary>The zone whose instances the ingress prefers; between brokers only.</summary>
    public string? Zone { get; init; }

    /// <summary>The trace that the dial is part of; null: none.</summary>
    public string? TraceParent { get; init; }

    /// <summary>The dialer keeps the connection after the dial: what the answer must repeat. Null: it does not, or somebody stands between.</summary>
    public string? Keep { get; init; }

    /// <summary>
    /// The original dialer's names, believed from a broker only. Empty: it has none; null: the header is missing. Names beyond
    /// <see cref="NameList.MaxLength"/> are left out.
    /// </summary>
    public IReadOnlyList<string>? DialerNames
    {
        get => _dialer is not null && NameList.TryDecode(_dialer, out var names) ? names : null;
        init => _dialer = value is null ? null : NameList.Encode(value);
    }

    /// <summary>The id of the original dialer's certificate, as a <see cref="DenyList"/> has it; believed from a broker only. A long one is left out.</summary>
    public string? DialerId
    {
        get;
        init => field = value is not null && DenyList.IsId(value) ? value : null;
    }

    /// <summary>Where the dial came from; believed from a broker only.</summary>
    public DialerAddress? DialerAddress { get; init; }

    /// <summary>Reads a head from the front of <paramref name="buffer"/>; a problem is answered with 400.</summary>
    public static HeadParse<ConnectRequest> Parse(ReadOnlySpan<byte> buffer)
    {
        if (buffer is [(byte)'{', ..])
        {
            // The preamble of a leg has no line that ends.
            return HeadParse<ConnectRequest>.Invalid("not HTTP: it begins with a brace");
        }

        var (text, consumed, problem) = HeadText.Parse(buffer);
        if (text is null)
        {
            return new(null, 0, problem);
        }

        TimeSpan? wait = null;
        TimeSpan? deadline = null;
        IReadOnlyList<string>? dialer = null;
        DialerAddress? address = null;
        string? keep = null;
        var redirected = 0;
        problem = ParseTarget(text.StartLine, out var target)
            ?? ParseBody(text)
            ?? ParseWait(text[WaitHeader], out wait)
            ?? ParseDeadline(text[DeadlineHeader], out deadline)
            ?? ParseRedirected(text[RedirectedHeader], out redirected)
            ?? ParseDialer(text[DialerHeader], out dialer)
            ?? ParseDialerId(text[DialerIdHeader])
            ?? ParseDialerAddress(text[DialerAddressHeader], out address)
            ?? ParseKeep(text, buffer[..consumed], out keep);
        return problem is not null
            ? HeadParse<ConnectRequest>.Invalid(problem)
            : HeadParse<ConnectRequest>.Complete(
                new ConnectRequest(target)
                {
                    Wait = wait,
                    Deadline = deadline,
                    AcceptsRedirect = IsAccept(text[RedirectHeader]),
                    AcceptsProgress = IsAccept(text[ProgressHeader]),
                    Redirected = redirected,
                    Forwarded = text[ForwardedHeader],
                    DialerNames = dialer,
                    DialerId = text[DialerIdHeader],
                    DialerAddress = address,
                    Zone = text[ZoneHeader],
                    TraceParent = DialTrace.Valid(text.Values(DialTrace.Header)),
                    Keep = keep,
                },
                consumed);
    }

    public byte[] ToBytes()
    {
        var head = new StringBuilder($"CONNECT {Target} HTTP/1.1\r\nHost: {Target}\r\n");
        Append(head, WaitHeader, Wait is { } wait ? $"{Math.Ceiling(wait.TotalSeconds)}" : null);
        Append(head, DeadlineHeader, Deadline is { } deadline ? $"{Math.Max(0, (long)deadline.TotalMilliseconds)}" : null);
        Append(head, ProgressHeader, AcceptsProgress ? Accept : null);
        Append(head, RedirectHeader, AcceptsRedirect ? Accept : null);
        Append(head, RedirectedHeader, Redirected > 0 ? $"{Redirected}" : null);
        Append(head, ForwardedHeader, Forwarded);
        Append(head, DialerHeader, _dialer);
        Append(head, DialerIdHeader, DialerId);
        Append(head, DialerAddressHeader, DialerAddress?.ToString());
        Append(head, ZoneHeader, Zone);
        Append(head, DialTrace.Header, TraceParent);
        Append(head, KeepToken.ConnectionHeader, Keep is null ? null : KeepHeader);
        Append(head, KeepHeader, Keep);
        return Encoding.ASCII.GetBytes(head.Append("\r\n").ToString());
    }

    /// <summary>The dial this asks for: the deadline on the wire includes the wait, that of a <see cref="DialRequest"/> does not.</summary>
    /// <param name="defaultDeadline">For a request that names none.</param>
    public DialRequest ToDialRequest(TimeSpan defaultDeadline)
    {
        var dial = new DialRequest(Target) { Deadline = defaultDeadline };
        var wait = Wait ?? TimeSpan.Zero;
        if (Deadline is not { } whole)
        {
            return dial with { Wait = wait };
        }

        wait = wait < whole ? wait : whole;
        return dial with { Wait = wait, Deadline = whole - wait };
    }

    private static string? ParseTarget(string line, out DialTarget target)
    {
        target = default;
        var parts = line.Split(' ');
        if (parts[0] != "CONNECT")
        {
            return "only CONNECT is served here";
        }

        if (parts.Length != 3 || parts[2] is not ("HTTP/1.1" or "HTTP/1.0"))
        {
            return "the request line is not CONNECT host:port HTTP/1.1";
        }

        return DialTarget.TryParse(parts[1], out target, out _) ? null
            : HostPort.TrySplit(parts[1], out _, out var port) && port > 0 ? "the host of the target is not a DNS name"
            : "the target is not host:port with a port of 1 to 65535";
    }

    private static string? ParseBody(HeadText text) =>
        text["Transfer-Encoding"] is not null ? "a CONNECT has no Transfer-Encoding"
        : text["Content-Length"] is not (null or "0") ? "a CONNECT has no body, Content-Length must be 0"
        : null;

    private static string? ParseWait(string? seconds, out TimeSpan? wait)
    {
        wait = HeadText.TryParseNumber(seconds, out var number) && number <= MaxWait.TotalSeconds ? TimeSpan.FromSeconds(number) : null;
        return seconds is null || wait is not null
            ? null
            : $"{WaitHeader} is not a number of seconds from 0 to {MaxWait.TotalSeconds}";
    }

    private static string? ParseDeadline(string? milliseconds, out TimeSpan? deadline)
    {
        deadline = HeadText.TryParseNumber(milliseconds, out var number)
            ? TimeSpan.FromMilliseconds(Math.Min(number, MaxDeadline.TotalMilliseconds))
            : null;
        return milliseconds is null || deadline is not null ? null : $"{DeadlineHeader} is not a number of milliseconds";
    }

    private static string? ParseRedirected(string? count, out int redirected)
    {
        var valid = HeadText.TryParseNumber(count, out redirected) && redirected <= MaxRedirects;
        return count is null || valid ? null : $"{RedirectedHeader} is not a number from 0 to {MaxRedirects}";
    }

    private static string? ParseDialer(string? list, out IReadOnlyList<string>? names)
    {
        names = null;
        return list is null || NameList.TryDecode(list, out names) ? null : $"{DialerHeader} is not a list of percent-encoded names";
    }

    /// <summary>An intermediary does not pass the option on, and one that does has named itself; what it might make of frames is unknown.</summary>
    private static string? ParseKeep(HeadText text, ReadOnlySpan<byte> head, out string? keep)
    {
        keep = text[KeepHeader];
        if (keep is not null && !KeepToken.IsValid(keep))
        {
            return $"{KeepHeader} is not {KeepToken.Length} hexadecimal digits";
        }

        var isDirect = KeepToken.IsOption(text) && text.Values("Via").Length == 0 && text.Values("Forwarded").Length == 0;
        var isStrict = text.StartLine.EndsWith("HTTP/1.1", StringComparison.Ordinal) && head.Count((byte)'\n') == head.Count("\r\n"u8);
        keep = isDirect && isStrict ? keep : null;
        return null;
    }

    private static string? ParseDialerId(string? id) => id is null || DenyList.IsId(id) ? null : $"{DialerIdHeader} is not ISSUER-KEY-ID:SERIAL in hex";

    private static string? ParseDialerAddress(string? text, out DialerAddress? address)
    {
        address = null;
        return text is null || DialerAddress.TryParse(text, out address) ? null : $"{DialerAddressHeader} is not two addresses with their ports";
    }

    private static bool IsAccept(string? value) => Accept.Equals(value, StringComparison.OrdinalIgnoreCase);

    private static void Append(StringBuilder head, string name, string? value)
    {
        if (value is not null)
        {
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        }
    }
}
