using System.Buffers;

namespace Whip.Protocol.Names;

/// <summary>The URI in a leaf that names one broker of one cluster, and the ids that such a URI can hold.</summary>
internal static class BrokerUri
{
    /// <summary>What to write instead of an id that is not valid.</summary>
    public const string ClusterIdHint = "1 to 63 lower-case letters, digits, - and . such as whip or prod.eu";

    /// <summary>What to write instead of an id that is not valid.</summary>
    public const string BrokerIdHint = "1 to 63 letters, digits, -, _ and . such as broker-1";

    private const string Scheme = "whip://";
    private const int MaxIdLength = 63;

    private static readonly SearchValues<char> ClusterIdCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-.");
    private static readonly SearchValues<char> BrokerIdCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    public static string Format(string clusterId, string brokerId) => $"{Scheme}{clusterId}/broker/{brokerId}";

    /// <summary>The beginning of the URI of every broker in the cluster.</summary>
    public static string Prefix(string clusterId) => Format(clusterId, "");

    /// <summary>Whether it names a broker of any cluster.</summary>
    public static bool IsOne(string uri) => uri.StartsWith(Scheme, StringComparison.Ordinal);

    /// <summary>Whether it can be the URI's host: in lower case, with dots between other characters only.</summary>
    public static bool IsClusterId(string id) =>
        IsOf(id, ClusterIdCharacters) && id[0] != '.' && id[^1] != '.' && !id.Contains("..", StringComparison.Ordinal);

    /// <summary>Whether it can be the last segment of the URI's path; one or two dots alone have another meaning there.</summary>
    public static bool IsBrokerId(string id) => IsOf(id, BrokerIdCharacters) && id is not ("." or "..");

    private static bool IsOf(string id, SearchValues<char> characters) =>
        id.Length is > 0 and <= MaxIdLength && !id.AsSpan().ContainsAnyExcept(characters);
}
