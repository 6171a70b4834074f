namespace Whip.Bench.Scenarios;

/// <summary>Dialers' ends of relays that a <c>whip connect</c> holds each. Those on which the dialer sends do so until they end.</summary>
internal sealed class PipedRelays : IAsyncDisposable
{
    private readonly Dictionary<char, Process> _connects;
    private readonly Task _carrying;

    /// <param name="relays">Their names; see <see cref="VanishingService"/>.</param>
    /// <param name="connect">Starts one.</param>
    public PipedRelays(string relays, Func<char, Process> connect)
    {
        _connects = relays.ToDictionary(relay => relay, connect);
        _carrying = Task.WhenAll(_connects.Select(pair => CarryAsync(pair.Key, pair.Value)));
    }

    public Stream OutputOf(char relay) => _connects[relay].StandardOutput.BaseStream;

    public void Signal(ProcessSignal signal)
    {
        foreach (var connect in _connects.Values)
        {
            LinuxProcess.Send(connect.Id, signal);
        }
    }

    /// <summary>The time from <paramref name="since"/> until the process has ended; null if it has not within <paramref name="limit"/>.</summary>
    public async Task<TimeSpan?> EndAsync(char relay, long since, TimeSpan limit)
    {
        try
        {
            await _connects[relay].WaitForExitAsync().WaitAsync(limit);
            return Stopwatch.GetElapsedTime(since);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connect in _connects.Values)
        {
            connect.Kill();
        }

        await _carrying;
        foreach (var connect in _connects.Values)
        {
            await connect.WaitForExitAsync();
            connect.Dispose();
        }
    }

    private static async Task CarryAsync(char relay, Process connect)
    {
        try
        {
            // What is fast is read by the scenario.
            await Task.WhenAll(
                VanishingService.Fast.Contains(relay) ? Task.CompletedTask : connect.StandardOutput.BaseStream.CopyToAsync(Stream.Null),
                connect.StandardError.ReadToEndAsync(),
                SlowSender.RunAsync(relay, connect.StandardInput.BaseStream, () => connect.HasExited));
        }
        catch (IOException)
        {
            // The process has ended.
        }
    }
}
