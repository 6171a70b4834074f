using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Primitives;

namespace Whip.Proxy.Http;

/// <summary>Names one request in the logs of the client, the proxy and the upstream.</summary>
internal static partial class RequestId
{
    /// <summary>Sent upstream and returned to the client.</summary>
    public const string Header = "whip-request-id";

    /// <summary>The client's own id if it sent exactly one that is safe to log, else a random one.</summary>
    public static string From(StringValues header) =>
        header is [{ } id] && Safe().IsMatch(id) ? id : Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    [GeneratedRegex(@"\A[A-Za-z0-9._-]{1,128}\z")]
    private static partial Regex Safe();
}
