using System.Text.Json;

namespace Whip.Protocol.Options;

/// <summary>How every command line names what an options class calls otherwise.</summary>
internal static class FlagNames
{
    /// <summary><c>tls-cert-path</c> for <c>Tls.CertPath</c>.</summary>
    public static string Kebab(string property) => string.Join('-', property.Split('.').Select(JsonNamingPolicy.KebabCaseLower.ConvertName));

    /// <summary><c>WHIP_TLS_CERT_PATH</c> for <c>--tls-cert-path</c>; a flag that begins with <c>whip-</c> has the prefix once.</summary>
    public static string Variable(string flag)
    {
        var name = flag.TrimStart('-');
        return "WHIP_" + (name.StartsWith("whip-", StringComparison.Ordinal) ? name[5..] : name).Replace('-', '_').ToUpperInvariant();
    }

    /// <summary>Splits <c>--flag=</c> into the flag and an empty text: System.CommandLine takes the next argument for its value.</summary>
    public static IReadOnlyList<string> WithEmptyValues(IReadOnlyList<string> args)
    {
        var separate = new List<string>();
        foreach (var arg in args)
        {
            var isEmpty = !separate.Contains("--") && arg.StartsWith("--", StringComparison.Ordinal) && arg.IndexOf('=') == arg.Length - 1;
            separate.AddRange(isEmpty ? [arg[..^1], ""] : [arg]);
        }

        return separate;
    }
}
