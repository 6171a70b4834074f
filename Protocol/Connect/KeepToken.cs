using System.Security.Cryptography;

namespace Whip.Protocol.Connect;

/// <summary>What a dialer draws for each dial whose connection it keeps, and the answer repeats. So neither is anybody else's.</summary>
internal static class KeepToken
{
    public const int Length = 16;
    public const string ConnectionHeader = "Connection";

    public static string Draw() => RandomNumberGenerator.GetHexString(Length, lowercase: true);

    public static bool IsValid(string text) => text.Length == Length && text.All(char.IsAsciiHexDigit);

    /// <summary>Whether Connection names the header: it is for this connection only.</summary>
    public static bool IsOption(HeadText head) => head.Members(ConnectionHeader).Contains(ConnectRequest.KeepHeader, StringComparer.OrdinalIgnoreCase);
}
