using System.Text.RegularExpressions;

namespace Whip.Tests.Client;

/// <summary>The steps of a dial front that keeps connections, for scripts of a <see cref="FakeDialFront"/>.</summary>
internal static partial class KeptFront
{
    public static readonly byte[] End = [1, 0, 0, 0];
    public static readonly byte[] EndAndDone = [1, 0, 0, 0, 5, 0, 0, 0];

    /// <summary>The word of a request; empty if it does not ask to keep.</summary>
    public static string Word(string head) => KeepHeader().Match(head).Groups[1].Value;

    public static string Established(string word) => $"HTTP/1.1 200 Connection established\r\nConnection: Whip-Keep\r\nWhip-Keep: {word}\r\n\r\n";

    public static string Refusal(string word, int status, string reason) =>
        $"HTTP/1.1 {status} x\r\nContent-Length: {reason.Length}\r\nConnection: Whip-Keep\r\nWhip-Keep: {word}\r\n\r\n{reason}";

    /// <summary>Serves one dial that the dialer ends at once, whole. False: the dialer has ended the connection instead.</summary>
    public static async Task<bool> ServeAsync(this FakeDialConnection connection)
    {
        if (await connection.ReadHeadAsync() is not { Length: > 0 } head)
        {
            return false;
        }

        await connection.WriteAsync(Established(Word(head)));
        await connection.FinishAsync();
        return true;
    }

    /// <summary>Reads the dialer's end, and says the service's and that the dial is done.</summary>
    public static async Task FinishAsync(this FakeDialConnection connection)
    {
        var end = new byte[4];
        await connection.Stream.ReadExactlyAsync(end);
        Assert.Equal(End, end);
        await connection.Stream.WriteAsync(EndAndDone);
    }

    [GeneratedRegex("\r\nConnection: Whip-Keep\r\nWhip-Keep: ([0-9a-f]{16})\r\n")]
    private static partial Regex KeepHeader();
}
