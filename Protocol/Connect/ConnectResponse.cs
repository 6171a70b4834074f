using System.Text;
using Whip.Protocol.Dialing;
using Whip.Protocol.Names;

namespace Whip.Protocol.Connect;

/// <summary>The dial front's answer to a CONNECT: 200 and the stream, or a status with one line that says why.</summary>
internal sealed record ConnectResponse(DialOutcome Outcome, string Reason)
{
    public const string OutcomeHeader = "Whip-Outcome";
    public const string LocationHeader = "Whip-Location";

    /// <summary>The dial continues, and its answer follows later.</summary>
    public const int ProgressStatus = 102;

    /// <summary>The whole interim head that says so.</summary>
    public static readonly ReadOnlyMemory<byte> Progress = "HTTP/1.1 102 Processing\r\n\r\n"u8.ToArray();

    /// <summary>Sent with a 503; null omits the header.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Sent with a 307: the holder's dial front.</summary>
    public HostPort? Location { get; init; }

    /// <summary>The connection is kept: what the request asked with. Null: it is not.</summary>
    public string? Keep { get; init; }

    public int Status => DialStatus.ToStatus(Outcome);

    /// <summary>The whole answer. A 200 has no body, for what follows its head is the stream; any other ends a connection that is not kept.</summary>
    public byte[] ToBytes()
    {
        var connection = Keep is null ? "close" : $"{ConnectRequest.KeepHeader}\r\n{ConnectRequest.KeepHeader}: {Keep}";
        if (Outcome == DialOutcome.Connected)
        {
            var kept = Keep is null ? "" : $"Connection: {connection}\r\n";
            return Encoding.ASCII.GetBytes($"HTTP/1.1 200 Connection established\r\n{kept}\r\n");
        }

        var body = Printable.Clean(Reason) + "\n";
        var retry = RetryAfter is { } after ? $"Retry-After: {Math.Ceiling(after.TotalSeconds)}\r\n" : "";
        var location = Location is null ? "" : $"{LocationHeader}: {Location}\r\n";
        return Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {Status} {Phrase(Status)}\r\n{OutcomeHeader}: {DialStatus.ToName(Outcome)}\r\n{location}{retry}"
            + $"Content-Type: text/plain\r\nContent-Length: {body.Length}\r\nConnection: {connection}\r\n\r\n{body}");
    }

    private static string Phrase(int status) => status switch
    {
        307 => "Temporary Redirect",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        421 => "Misdirected Request",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Bad Gateway",
    };
}
