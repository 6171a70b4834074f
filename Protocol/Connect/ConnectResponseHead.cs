using System.Text;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Protocol.Connect;

/// <summary>The head of an answer, as a dialer reads it.</summary>
internal sealed record ConnectResponseHead(int Status, DialOutcome Outcome, int ContentLength)
{
    /// <summary>Where a 307 points; null if the broker named no address.</summary>
    public HostPort? Location { get; init; }

    /// <summary>The connection is kept. It must be what the request said; null: it is not kept.</summary>
    public string? Keep { get; init; }

    /// <summary>A 102: another head follows.</summary>
    public bool IsInterim => Status == ConnectResponse.ProgressStatus;

    /// <summary>The line that follows the head and says why; as much of it as arrives in time, since the status says the outcome.</summary>
    /// <param name="leg">Past the head.</param>
    /// <param name="maxBytes">Of the body; the rest is left unread.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The line, and whether the body was read to its end.</returns>
    public async ValueTask<(string Line, bool IsWhole)> ReadReasonAsync(Leg leg, int maxBytes, CancellationToken cancellationToken)
    {
        var body = new byte[Math.Min(ContentLength, maxBytes)];
        var filled = 0;
        try
        {
            filled = await leg.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
        }

        return (Encoding.Latin1.GetString(body, 0, filled).Split('\n')[0].Trim(), filled == ContentLength);
    }

    public static HeadParse<ConnectResponseHead> Parse(ReadOnlySpan<byte> buffer)
    {
        var (text, consumed, problem) = HeadText.Parse(buffer);
        if (text is null)
        {
            return new(null, 0, problem);
        }

        if (!text.TryReadStatus(out var status))
        {
            return HeadParse<ConnectResponseHead>.Invalid("the status line is not HTTP/1.1");
        }

        // A header without its option, or the option alone, is what an intermediary leaves of an echo: what follows may be frames or not.
        var keep = text[ConnectRequest.KeepHeader];
        if (keep is null == KeepToken.IsOption(text))
        {
            return HeadParse<ConnectResponseHead>.Invalid($"{ConnectRequest.KeepHeader} without its Connection option, or the other way round");
        }

        var length = 0;
        return text["Content-Length"] is { } written && !HeadText.TryParseNumber(written, out length)
            ? HeadParse<ConnectResponseHead>.Invalid("Content-Length is not a number")
            : HeadParse<ConnectResponseHead>.Complete(
                new ConnectResponseHead(status, DialStatus.FromResponse(status, text[ConnectResponse.OutcomeHeader]), length)
                {
                    Location = HostPort.TryParse(text[ConnectResponse.LocationHeader], out var location) ? location : null,
                    Keep = keep,
                },
                consumed);
    }
}
