using System.Collections.Concurrent;

namespace Whip.Tests.Support;

/// <summary>A dial front that answers each head as the test says, and keeps it.</summary>
internal sealed class RedirectingFront : IAsyncDisposable
{
    public const string Established = FakeDialConnection.Established;

    public RedirectingFront(bool tls, Func<string, string> answer) => Front = new FakeDialFront(tls, async connection =>
    {
        var head = await connection.ReadHeadAsync();
        Heads.Enqueue(head);
        await connection.WriteAsync(answer(head));
        await connection.EndAsync();
        await connection.WaitForEndAsync();
    });

    public FakeDialFront Front { get; }

    public string Authority => Front.Authority;

    public ConcurrentQueue<string> Heads { get; } = [];

    /// <summary>A redirect; null leaves its location away.</summary>
    public static string To(string? location) =>
        $"HTTP/1.1 307 x\r\nWhip-Outcome: redirected\r\n{(location is null ? "" : $"Whip-Location: {location}\r\n")}\r\n";

    public ValueTask DisposeAsync() => Front.DisposeAsync();
}
