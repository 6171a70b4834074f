using System.Net;
using Whip.Agent.ControlStreams;

namespace Whip.Agent.Homes;

/// <summary>Keeps one control stream to one address, with a new one after each that ends, until it is retired.</summary>
internal sealed class Home : IDisposable
{
    /// <summary>A stream that stood this long was a success: the next failure backs off from the start.</summary>
    private static readonly TimeSpan ProvenAfter = TimeSpan.FromSeconds(10);

    private const int FailingAfter = 3;
    private const int MaxFailures = 1000;

    private readonly AgentContext _context;
    private readonly HomeAddress _home;
    private readonly Action _changed;
    private readonly CancellationTokenSource _retire = new();
    private volatile ControlStream? _stream;
    private volatile int _failures;
    private string _lastEnd = "";

    public Home(AgentContext context, HomeAddress home, Action changed, CancellationToken abort)
    {
        _context = context;
        _home = home;
        _changed = changed;
        Completion = Task.Run(() => RunAsync(abort), CancellationToken.None);
    }

    public IPEndPoint Address => _home.Address;

    public Task Completion { get; }

    public bool IsAttached => _stream?.State == StreamState.Attached;

    public bool IsDraining => _stream?.IsDraining ?? false;

    public bool IsFailing => _failures >= FailingAfter && !IsAttached;

    /// <summary>Who answered at the address last; empty when it never said.</summary>
    public string BrokerId { get; private set; } = "";

    /// <summary>Of the newest stream; a broker keeps the stream with the highest.</summary>
    public ulong Generation => _stream?.Generation ?? 0;

    public bool IsRetired => _retire.IsCancellationRequested;

    /// <summary>Ends the stream in good order and tries no more.</summary>
    public void Retire() => _retire.Cancel();

    public void Dispose() => _retire.Dispose();

    private async Task RunAsync(CancellationToken abort)
    {
        while (!IsRetired && !abort.IsCancellationRequested)
        {
            var stream = new ControlStream(_context, _home, StreamChanged);
            _stream = stream;
            var end = await stream.RunAsync(_retire.Token, abort);
            if (!IsRetired && !abort.IsCancellationRequested)
            {
                await BackOffAsync(stream, end);
            }
        }

        _changed();
    }

    private void StreamChanged()
    {
        if (_stream?.BrokerId is { Length: > 0 } id)
        {
            BrokerId = id;
        }

        _changed();
    }

    private async Task BackOffAsync(ControlStream stream, StreamEnd end)
    {
        var stoodFor = stream.StoodFor;
        _failures = stoodFor >= ProvenAfter ? 1 : Math.Min(_failures + 1, MaxFailures);
        _lastEnd = stoodFor > TimeSpan.Zero ? "" : _lastEnd;
        var delay = Backoff.Delay(_failures, Random.Shared);
        Report(end, delay);
        _context.Metrics.Reconnecting();
        _changed();
        await Task.Delay(delay, _context.Time, _retire.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Says the same reason once, however often it is met.</summary>
    private void Report(StreamEnd end, TimeSpan delay)
    {
        var reason = end.ToString();
        if (reason == _lastEnd)
        {
            AgentLog.StillLost(_context.Log, _home, reason, _failures, delay.TotalSeconds);
            return;
        }

        _lastEnd = reason;
        AgentLog.Lost(_context.Log, _home, reason, end.Advice);
    }
}
