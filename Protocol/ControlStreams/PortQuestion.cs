using System.Text;
using Whip.Protocol.Names;

namespace Whip.Protocol.ControlStreams;

/// <summary>
/// Asks a port that speaks TLS, but not HTTP/2, what it is: an agent has been led to another port than the gRPC one. Every port of a broker answers an
/// HTTP/1 request with one line.
/// </summary>
internal static class PortQuestion
{
    private const int MaxAnswer = 2048;

    /// <returns>The line; empty if there is none.</returns>
    public static async Task<string> AskAsync(Stream port, Uri address, CancellationToken cancellationToken)
    {
        var question = $"POST /v1.Whip/Register HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        var answer = new byte[MaxAnswer];
        try
        {
            await port.WriteAsync(Encoding.ASCII.GetBytes(question), cancellationToken).ConfigureAwait(false);
            var length = await port.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            var text = Encoding.Latin1.GetString(answer, 0, length);
            var body = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            return text.StartsWith("HTTP/1.", StringComparison.Ordinal) && body > 0 ? Printable.Clean(text[body..].Trim().Split('\n')[0]) : "";
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            return "";
        }
    }
}
