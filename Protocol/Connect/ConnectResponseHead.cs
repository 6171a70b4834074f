using System.Text;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;

namespace Whip.Protocol.Connect;

/// <summary>The head of an answer, as a dialer reads it.</summary>
internal sealed record ConnectResponseHead(int Status, DialOutcome Outcome, int ContentLength)
{
    /// <summary>Where a 307 points, as the broker wrote it.</summary>
    public string? Location { get; init; }

    /// <summary>A 102: another head follows.</summary>
    public bool IsInterim => Status == ConnectResponse.ProgressStatus;

    /// <summary>The line that follows the head and says why; as much of it as arrives in time, for the status has told the outcome.</summary>
    /// <param name="leg">Past the head.</param>
    /// <param name="maxBytes">Of the body; the rest is left unread.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<string> ReadReasonAsync(Leg leg, int maxBytes, CancellationToken cancellationToken)
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

        return Encoding.Latin1.GetString(body, 0, filled).Split('\n')[0].Trim();
    }

    public static HeadParse<ConnectResponseHead> Parse(ReadOnlySpan<byte> buffer)
    {
        var (text, consumed, problem) = HeadText.Parse(buffer);
        if (text is null)
        {
            return new(null, 0, problem);
        }

        // "HTTP/1.1 200 OK"; the phrase and the space before it may be missing.
        var line = text.StartLine;
        if (line is not ['H', 'T', 'T', 'P', '/', '1', '.', '0' or '1', ' ', _, _, _, .. var rest]
            || rest is not ("" or [' ', ..])
            || !HeadText.TryParseNumber(line.AsSpan(9, 3), out var status))
        {
            return HeadParse<ConnectResponseHead>.Invalid($"status line \"{line}\" is not HTTP/1.1");
        }

        var length = 0;
        return text["Content-Length"] is { } written && !HeadText.TryParseNumber(written, out length)
            ? HeadParse<ConnectResponseHead>.Invalid($"Content-Length \"{written}\" is not a number")
            : HeadParse<ConnectResponseHead>.Complete(
                new ConnectResponseHead(status, DialStatus.FromResponse(status, text[ConnectResponse.OutcomeHeader]), length)
                {
                    Location = text[ConnectResponse.LocationHeader],
                },
                consumed);
    }
}
