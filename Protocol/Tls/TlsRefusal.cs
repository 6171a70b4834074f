using Whip.Protocol.Names;

namespace Whip.Protocol.Tls;

/// <summary>
/// What can be said here of a peer that refuses our certificate. In TLS 1.3 it judges it after our side of the handshake has ended, and a broker of ours
/// sends no alert, because SslStream cannot on Linux: the connection ends before the first answer.
/// </summary>
internal static class TlsRefusal
{
    private const int MaxNames = 64;

    /// <summary>The alert that the peer sent, and what it means; null if it sent none.</summary>
    public static string? Alert(Exception error)
    {
        const string Mark = " alert ";
        var message = error.GetBaseException().Message;
        var at = message.LastIndexOf(Mark, StringComparison.Ordinal);
        if (at < 0 || !message.Contains("SSL", StringComparison.Ordinal))
        {
            return null;
        }

        var alert = message[(at + Mark.Length)..];
        return Printable.Clean($"it sent the TLS alert \"{alert}\": {Meaning(alert)}");
    }

    /// <summary>What it may mean that the peer ended a connection on which it saw our certificate before it answered.</summary>
    public static string Unanswered(TlsIdentity own, DateTimeOffset now)
    {
        var names = own.Names;
        var shown = Printable.Clean(names.Names.Count == 0 ? "no names" : string.Join(", ", names.Names), MaxNames);
        return names.NotAfter <= now
            ? $"the certificate that it saw ({shown}) expired on {names.NotAfter:u}"
            : $"it may have refused the certificate ({shown}) as expired, of another CA, or denied; its log says which";
    }

    private static string Meaning(string alert) => alert switch
    {
        "unknown ca" => "the CA of this certificate is not trusted there",
        "certificate expired" => "this certificate is expired by the clock there",
        "certificate revoked" or "access denied" => "this certificate is revoked or denied there",
        "certificate required" => "a certificate is asked for there, and none was shown",
        "bad certificate" or "certificate unknown" or "unsupported certificate" =>
            "this certificate is refused there, as expired, of another CA, or denied; the log there says which",
        "handshake failure" or "protocol version" or "insufficient security" => "there is no TLS version or cipher that both sides accept",
        _ => "the log there says more",
    };
}
