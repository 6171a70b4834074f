using Whip.Client;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;

namespace Whip.Bench.Kept;

/// <summary>The dialers: workers that dial one after the other over one <see cref="WhipDialer"/>, and do what each dial says.</summary>
internal sealed class KeptDials(KeptTally tally, WhipDialer dialer, string name, KeptService service) : IDisposable
{
    public const int Workers = 24;

    private const int SlowPiece = 900;
    private const int PieceSize = 30_000;

    // Far beyond what a busy machine takes: what hangs is found all the same.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public async Task RunAsync(int dials, CancellationToken cancellationToken)
    {
        tally.Add(dials);
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(() => RunWorkerAsync(worker), cancellationToken)));
        cancellationToken.ThrowIfCancellationRequested();

        async Task RunWorkerAsync(int worker)
        {
            while (!cancellationToken.IsCancellationRequested && tally.Next(worker) is { } dial)
            {
                await DialAsync(dial);
            }
        }
    }

    public void Dispose() => dialer.Dispose();

    private async Task DialAsync(KeptDial dial)
    {
        using var cancel = new CancellationTokenSource();
        if (dial.Dialer == DialerWay.Cancels)
        {
            cancel.CancelAfter(dial.CancelAfter);
        }

        try
        {
            var request = new DialRequest(name, service.Port(dial.Worker, dial.IsRefused)) { Deadline = Deadline };
            var result = await dialer.TryDialAsync(request, cancel.Token);
            if (result.Stream is { } stream)
            {
                dial.IsConnected = true;
                await LimitAsync(stream, dial);
            }
            else if (dial.IsRefused && result.Outcome == DialOutcome.AgentFailed)
            {
                tally.Reached("service", DialState.Asked);
            }
            else if (dial.Cut is not { IsReached: true, WasReused: false })
            {
                // A kept connection that ends before the answer costs a dial nothing; a new one may.
                tally.Wrong($"{dial}: {result.Outcome}: {result.Reason}");
            }
        }
        catch (OperationCanceledException) when (dial.Dialer == DialerWay.Cancels)
        {
            tally.Reached("dialer", DialState.Asked);
        }
    }

    private async Task LimitAsync(WhipStream stream, KeptDial dial)
    {
        var talk = TalkAsync(stream, dial);
        await Task.WhenAny(talk, Task.Delay(Limit));
        if (!talk.IsCompleted)
        {
            tally.Wrong($"{dial}: not done within {Limit.TotalSeconds} s");
            stream.Abort();
        }

        await talk;
    }

    private async Task TalkAsync(WhipStream stream, KeptDial dial)
    {
        var reader = new KeptReader(tally, stream, dial, KeptService.SpeaksFirst(dial.Worker));
        try
        {
            if (dial.HearsFirst && KeptService.SpeaksFirst(dial.Worker))
            {
                await reader.HearAsync();
            }

            await stream.WriteAsync(KeptDial.Head(KeptDial.DialerMark, dial.Number));
            await (dial.Dialer >= DialerWay.Aborts ? BreakAsync(stream, dial, reader) : CarryAsync(stream, dial, reader));
            await stream.DisposeAsync();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
            tally.Wrong(dial, dial.Judge(isUp: false, isWhole: true, error));
        }

        // After a dispose it is nobody's dial any more that this ends.
        stream.Abort();
    }

    private static async Task CarryAsync(WhipStream stream, KeptDial dial, KeptReader reader)
    {
        switch (dial.Dialer)
        {
            case DialerWay.EndsFirst:
                await Task.WhenAll(SendAsync(stream, dial, isEnded: true), reader.ReadAsync());
                break;
            case DialerWay.EndsLast or DialerWay.Disposes:
                await Task.WhenAll(SendAsync(stream, dial, isEnded: false), reader.ReadAsync());
                dial.IsUpEnded = true;
                await (dial.Dialer == DialerWay.EndsLast ? stream.CompleteWritesAsync() : stream.DisposeAsync());
                break;
            case DialerWay.Leaves:
                await SendAsync(stream, dial, isEnded: false);
                dial.IsUpEnded = true;
                break;
            default:
                var pending = reader.ReadAsync();
                await SendAsync(stream, dial, isEnded: false);
                dial.IsUpEnded = true;
                await stream.DisposeAsync();

                // It has read the end before, or fails now.
                await pending.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
                break;
        }
    }

    private async Task BreakAsync(WhipStream stream, KeptDial dial, KeptReader reader)
    {
        var state = DialState.On;
        switch (dial.Dialer)
        {
            case DialerWay.DisposesInAWrite:
                dial.IsUpEnded = true;
                var writing = SendAsync(stream, dial, isEnded: false);
                await stream.DisposeAsync();
                await writing;
                break;
            case DialerWay.AbortsAskerEnded:
                await SendAsync(stream, dial, isEnded: true);
                state = DialState.AskerEnded;
                break;
            case DialerWay.AbortsServerEnded:
                await Task.WhenAll(SendAsync(stream, dial, isEnded: false), reader.ReadAsync());
                state = DialState.ServerEnded;
                break;
            case DialerWay.AbortsBothEnded:
                await Task.WhenAll(SendAsync(stream, dial, isEnded: true), reader.ReadAsync());
                state = DialState.BothEnded;
                break;
            default:
                await stream.WriteAsync(KeptDial.Bytes(dial.Number, 0, Math.Min(Pattern.MaxPiece, dial.UpLength / 2)));
                break;
        }

        stream.Abort();
        tally.Reached("dialer", state);
    }

    private static async Task SendAsync(WhipStream stream, KeptDial dial, bool isEnded)
    {
        for (var sent = 0; sent < dial.UpLength; sent += Pattern.MaxPiece)
        {
            await stream.WriteAsync(KeptDial.Bytes(dial.Number, sent, Math.Min(Pattern.MaxPiece, dial.UpLength - sent)));
        }

        if (isEnded)
        {
            dial.IsUpEnded = true;
            await stream.CompleteWritesAsync();
        }
    }

    /// <summary>Reads what the service sends, and compares all of it.</summary>
    private sealed class KeptReader(KeptTally tally, WhipStream stream, KeptDial dial, bool speaksFirst)
    {
        private readonly byte[] _head = new byte[KeptDial.HeadSize];
        private int _heard;
        private int _conversation;

        /// <summary>The first bytes.</summary>
        public async Task HearAsync()
        {
            while (_heard < _head.Length && await stream.ReadAsync(_head.AsMemory(_heard)) is > 0 and var read)
            {
                _heard += read;
            }

            _conversation = KeptDial.Parse(KeptDial.ServiceMark, _head) ?? 0;
            if (_heard < _head.Length || _conversation == 0)
            {
                tally.Wrong(dial, $"{_heard} foreign bytes at the dialer, or a clean end among the first ones: {Convert.ToHexString(_head)}");
            }
        }

        /// <summary>Everything until the end.</summary>
        public async Task ReadAsync()
        {
            await Task.Delay(dial.Pause);
            await (_heard == 0 ? HearAsync() : Task.CompletedTask);
            var buffer = new byte[dial.IsSlow ? SlowPiece : PieceSize];
            var (position, length) = (0, dial.DownLength(speaksFirst) - _head.Length);
            while (await stream.ReadAsync(buffer) is > 0 and var read)
            {
                if (position + read > length || !KeptDial.Matches(-_conversation, position, buffer.AsSpan(0, read)))
                {
                    tally.Wrong(dial, "foreign bytes at the dialer");
                }

                position += read;
                await (dial.IsSlow ? Task.Run(static () => { }) : Task.CompletedTask);
            }

            tally.Wrong(dial, dial.Judge(isUp: false, position == length, reset: null));
            if (!dial.IsClaimedBy(_conversation))
            {
                tally.Wrong(dial, "a clean end of another dial's connection to the service");
            }
        }
    }
}
