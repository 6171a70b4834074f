namespace Whip.Protocol.Via;

/// <summary>Through which HTTP proxy brokers are reached.</summary>
public sealed class WhipViaOptions
{
    /// <summary>For <see cref="Proxy"/>: no proxy, whatever the environment says.</summary>
    public const string Off = "off";

    /// <summary>
    /// <c>http://[user[:password]@]host[:port]</c> for every broker, or <see cref="Off"/>. User and password may be percent-encoded; the port is 1080
    /// if there is none. Null, the default: as the environment says by curl's rules, in <c>https_proxy</c>, <c>all_proxy</c> and <c>no_proxy</c>, of
    /// which one in upper case counts if that in lower case is not set.
    /// </summary>
    public string? Proxy { get; set; }

    /// <summary>The file that holds the password of the user in <see cref="Proxy"/>; null, the default: the URL has it.</summary>
    public string? PasswordPath { get; set; }
}
