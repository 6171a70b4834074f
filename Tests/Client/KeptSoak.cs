using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Whip.Client;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;

namespace Whip.Tests.Client;

/// <summary>
/// Many dials at once through one broker, each with bytes of its own and a plan of how its dialer and its service go about it, aborts in every state
/// among them. Everything that must not happen is collected.
/// </summary>
internal sealed partial class KeptSoak(TestBroker broker, string front, int seed)
{
    private const int Dialers = 12;

    private readonly SoakService _service = new(broker);
    private readonly ConcurrentQueue<string> _wrong = [];
    private int _next;
    private int _connected;

    /// <summary>Runs the dials and returns what was wrong; empty if all was as it must be.</summary>
    public async Task<IReadOnlyCollection<string>> RunAsync(int dials)
    {
        var options = new WhipDialerOptions { Brokers = [front] };
        var dialer = new WhipDialer(options, broker.Client("dialer.testdom"), TimeProvider.System, first: 0);
        await using (_service)
        {
            await _service.StartAsync();
            await Task.WhenAll(Enumerable.Range(0, Dialers).Select(_ => Task.Run(async () =>
            {
                while (Interlocked.Increment(ref _next) is var number && number <= dials && _wrong.IsEmpty)
                {
                    await DialAsync(dialer, number);
                }
            })));
            await _service.WhenQuietAsync();
        }

        var reused = int.Parse(Reused().Match(await broker.ScrapeAsync()).Groups[1].Value, CultureInfo.InvariantCulture);
        if (reused < _connected / 2)
        {
            _wrong.Enqueue($"only {reused} of {_connected} dials came on a connection that had carried another");
        }

        return [.. _wrong, .. _service.Wrong];
    }

    private async Task DialAsync(WhipDialer dialer, int number)
    {
        var random = new Random((seed * 100_003) + number);
        var plan = SoakPlan.Draw(number, random);
        using var cancel = new CancellationTokenSource();
        if (plan.Dialer == DialerWay.Cancels)
        {
            cancel.CancelAfter(TimeSpan.FromMilliseconds(random.Next(4)));
        }

        try
        {
            var request = new DialRequest("instance1.testdom", plan.Port) { Deadline = Patience.Long };
            var result = await dialer.TryDialAsync(request, cancel.Token);
            if (result.Outcome != (plan.Port == SoakService.RefusedPort ? DialOutcome.AgentFailed : DialOutcome.Connected))
            {
                Wrong(plan, $"{result.Outcome} {result.Reason}");
            }

            if (result.Stream is { } stream)
            {
                Interlocked.Increment(ref _connected);
                await TalkAsync(stream, plan);
            }
        }
        catch (OperationCanceledException) when (plan.Dialer == DialerWay.Cancels)
        {
        }
    }

    private async Task TalkAsync(WhipStream stream, SoakPlan plan)
    {
        try
        {
            await stream.WriteAsync(plan.ToBytes());
            switch (plan.Dialer)
            {
                case DialerWay.EndsFirst:
                    await stream.WriteAsync(plan.Up());
                    await stream.CompleteWritesAsync();
                    await ReadAllAsync(stream, plan);
                    break;
                case DialerWay.EndsLast:
                    await Task.WhenAll(stream.WriteAsync(plan.Up()).AsTask(), ReadAllAsync(stream, plan));
                    await stream.CompleteWritesAsync();
                    break;
                case DialerWay.LeavesEarly:
                    await stream.WriteAsync(plan.Up());
                    break;
                case DialerWay.LeavesWithAReadPending:
                    var reading = stream.ReadAsync(new byte[1]).AsTask();
                    await stream.WriteAsync(plan.Up());
                    await stream.DisposeAsync();
                    await reading.ContinueWith(static _ => { }, TaskScheduler.Default).WaitAsync(Patience.Long);
                    break;
                default:
                    await stream.WriteAsync(plan.Up().AsMemory(0, plan.UpLength / 2));
                    stream.Abort();
                    break;
            }

            await stream.DisposeAsync();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
            stream.Abort();
            if (plan.Dialer is DialerWay.EndsFirst or DialerWay.EndsLast && plan.Service != ServiceWay.Resets)
            {
                Wrong(plan, $"broke: {error.Message}");
            }
        }
    }

    private async Task ReadAllAsync(WhipStream stream, SoakPlan plan)
    {
        var down = await stream.ReadToEndAsync();
        if (!plan.Down().AsSpan().SequenceEqual(down))
        {
            Wrong(plan, $"{down.Length} bytes came instead of {plan.DownLength}, or others");
        }
        else if (plan.Service == ServiceWay.Resets)
        {
            Wrong(plan, "a clean end where the service reset");
        }
    }

    private void Wrong(SoakPlan plan, string what) => _wrong.Enqueue($"{plan}: {what}");

    [GeneratedRegex("whip_broker_kept_reused_total{listener=\"dial\"} ([0-9]+)\n")]
    private static partial Regex Reused();
}

/// <summary>What a dialer does.</summary>
internal enum DialerWay
{
    EndsFirst,
    EndsLast,
    LeavesEarly,
    LeavesWithAReadPending,
    Aborts,
    Cancels,
}

/// <summary>What a service does.</summary>
internal enum ServiceWay
{
    AnswersTheEnd,
    SpeaksFirst,
    ReadsSlowly,
    Resets,
}

/// <summary>One dial of the soak; what the service needs to know of it is sent to it first.</summary>
internal sealed record SoakPlan(int Number, DialerWay Dialer, ServiceWay Service, int Port, int UpLength, int DownLength)
{
    public const int Size = 16;

    public static SoakPlan Draw(int number, Random random)
    {
        // Most dials end as most do; every other way is drawn often enough.
        var dialer = random.Next(10) < 6 ? (DialerWay)random.Next(2) : (DialerWay)random.Next(6);
        var service = random.Next(10) < 8 ? (ServiceWay)random.Next(3) : ServiceWay.Resets;
        var port = random.Next(20) == 0 ? SoakService.RefusedPort : SoakService.Port;
        return new SoakPlan(number, dialer, service, port, Length(random), Length(random));
    }

    public byte[] Up() => Bytes(Number, UpLength);

    public byte[] Down() => Bytes(-Number, DownLength);

    public byte[] ToBytes() =>
    [
        (byte)'t', (byte)Dialer, (byte)Service, (byte)(Number ^ UpLength ^ DownLength),
        .. BitConverter.GetBytes(Number), .. BitConverter.GetBytes(UpLength), .. BitConverter.GetBytes(DownLength),
    ];

    /// <summary>Null: these bytes are no plan.</summary>
    public static SoakPlan? Parse(byte[] bytes)
    {
        var (number, up, down) = (BitConverter.ToInt32(bytes, 4), BitConverter.ToInt32(bytes, 8), BitConverter.ToInt32(bytes, 12));
        return bytes[0] == 't' && bytes[3] == (byte)(number ^ up ^ down)
            ? new SoakPlan(number, (DialerWay)bytes[1], (ServiceWay)bytes[2], SoakService.Port, up, down)
            : null;
    }

    private static int Length(Random random) => random.Next(4) switch
    {
        0 => 0,
        1 => random.Next(64),
        2 => random.Next(5_000),
        _ => random.Next(random.Next(8) == 0 ? 300_000 : 20_000),
    };

    private static byte[] Bytes(int number, int length)
    {
        var bytes = new byte[length];
        new Random(number).NextBytes(bytes);
        return bytes;
    }
}
