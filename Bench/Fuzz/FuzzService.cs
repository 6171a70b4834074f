using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Hosting.Listening;
using Whip.Protocol;
using Whip.Protocol.Legs;

namespace Whip.Bench.Fuzz;

/// <summary>
/// The service behind the agent, and a broker to a proxy. To a request for the path of a number, or a dial of its name, it answers what
/// <see cref="Answer"/> says, else with a few bytes whenever a head, or a chunked body, may have ended.
/// </summary>
internal sealed partial class FuzzService : IAsyncDisposable
{
    private const int ReadSize = 16 * 1024;

    // Longer than a program lets a service be silent.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly byte[] Honest = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

    private readonly SocketListener _listener =
        new(
            "service", new IPEndPoint(IPAddress.Loopback, 0), maxUnauthenticated: int.MaxValue, DescriptorBudget.OfProcess(),
            NullLogger.Instance, TimeProvider.System);

    private volatile Func<int, string, FuzzInput>? _answer;

    public FuzzService() => _listener.Start((leg, _, stop) => ServeAsync(leg, stop));

    public int Port => _listener.LocalEndPoint.Port;

    /// <summary>Makes the answer to the request of a number, of which it gets the head; null: all are honest.</summary>
    public Func<int, string, FuzzInput>? Answer
    {
        get => _answer;
        set => _answer = value;
    }

    [GeneratedRegex("[A-Z] (?:/|n)([0-9]{1,9})[ .]", RegexOptions.RightToLeft)]
    private static partial Regex Numbered { get; }

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeAsync(Leg leg, CancellationToken stop)
    {
        using var deadline = new Deadline(Limit, TimeProvider.System, stop);
        try
        {
            await AnswerAsync(leg, deadline.Token);
            await leg.DisposeAsync();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The other side was faster.
        }

        leg.Abort();
    }

    private async Task AnswerAsync(Leg leg, CancellationToken cancellationToken)
    {
        var buffer = new byte[ReadSize];
        var filled = 0;
        while (await leg.ReadAsync(buffer.AsMemory(filled), cancellationToken) is > 0 and var read)
        {
            filled += read;
            if (buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8) < 0 && filled < buffer.Length)
            {
                continue;
            }

            var head = Encoding.Latin1.GetString(buffer, 0, filled);
            filled = 0;
            if (Answer is { } answer && Numbered.Match(head) is { Success: true } request)
            {
                var input = answer(int.Parse(request.Groups[1].Value, CultureInfo.InvariantCulture), head);
                await input.RunAsync(leg, cancellationToken);
                if (input.Ending != FuzzEnding.Next)
                {
                    return;
                }

                continue;
            }

            await leg.WriteAsync(Honest, cancellationToken);
        }
    }
}
