namespace Whip.Tests.Support;

/// <summary>First messages that begin as TLS and are none; a character is a byte.</summary>
internal static class BrokenTls
{
    /// <summary>A ServerHello, from a client, without content.</summary>
    public const string OtherMessage = "\u0016\u0003\u0001\0\u0004\u0002\0\0\0";

    /// <summary>A ClientHello with one byte of the two that tell the length of its extensions.</summary>
    public const string CutHello =
        "\u0016\u0003\u0001\0\u002e\u0001\0\0\u002a\u0003\u0003" + Eight + Eight + Eight + Eight + "\0\0\u0002\u0013\u0001\u0001\0\0";

    private const string Eight = "\0\0\0\0\0\0\0\0";
}
