using System.Net;
using System.Net.Http.Json;
using Whip.Harness.Programs;
using Whip.Protocol.Admin;

namespace Whip.Harness;

/// <summary>One broker of a <see cref="LocalCluster"/>. It keeps its id and addresses when it is started again.</summary>
internal sealed class LocalBroker(WhipProcesses programs, string id, IReadOnlyList<string> flags) : IDisposable
{
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ReadyInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(45);

    // In the order of the addresses.
    private static readonly string[] Listeners = ["grpc", "tcp", "dial", "metrics", "admin", "silo"];

    private readonly IPEndPoint[] _addresses = Array.ConvertAll(FreePort.Find(6), port => new IPEndPoint(IPAddress.Loopback, port));
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private WhipProcess? _program;

    // Killed or frozen on purpose.
    private bool _isDown;

    public string Id => id;

    public IPEndPoint Grpc => _addresses[0];

    public IPEndPoint Tcp => _addresses[1];

    public IPEndPoint Dial => _addresses[2];

    public IPEndPoint Metrics => _addresses[3];

    public IPEndPoint Admin => _addresses[4];

    public IPEndPoint Silo => _addresses[5];

    public int Starts { get; private set; }

    /// <summary>The process that runs now, or ran last.</summary>
    public WhipProcess Program => _program ?? throw new InvalidOperationException($"{id} was never started");

    /// <summary>It has not ended, and was neither killed nor frozen.</summary>
    public bool IsRunning => _program is { Ended.IsCompleted: false } && !_isDown;

    /// <summary>Starts it and waits until it is ready for dials, which is when it has joined the cluster.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Launch();
        return WhenReadyAsync(cancellationToken);
    }

    public void Launch()
    {
        var listen = Listeners.Zip(_addresses).SelectMany(pair => new[] { $"--{pair.First}-listen", $"{pair.Second}" });
        _program = programs.Start(id, "whip-broker", ["--broker-id", id, .. listen, .. flags]);
        _isDown = false;
        Starts++;
    }

    public async Task WhenReadyAsync(CancellationToken cancellationToken)
    {
        await Program.ReadyAsync(cancellationToken);
        if (!await Polling.UntilAsync(IsReadyNowAsync, ReadyTimeout, ReadyInterval, cancellationToken))
        {
            throw Program.Failed($"/readyz is not 200 within {ReadyTimeout.TotalSeconds} s");
        }

        async Task<bool> IsReadyNowAsync() => IsRunning ? await IsReadyAsync(cancellationToken) : throw Program.Failed("ended before /readyz was 200");
    }

    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        if (!IsRunning)
        {
            return false;
        }

        try
        {
            using var answer = await _http.GetAsync(new Uri($"http://{Metrics}/readyz"), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception error) when (error is HttpRequestException || (error is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    /// <summary>A gauge or counter from /metrics, summed over its labels.</summary>
    public async Task<double> ReadMetricAsync(string name, CancellationToken cancellationToken) =>
        (await MetricsPage.ReadAsync(Metrics, cancellationToken)).Sum(name);

    public async Task<BrokerStatus> ReadStatusAsync(CancellationToken cancellationToken) =>
        (await _http.GetFromJsonAsync(new Uri($"http://{Admin}/api/status"), AdminJson.Default.BrokerStatus, cancellationToken))!;

    public void MoveSilo() => _addresses[5] = new IPEndPoint(IPAddress.Loopback, FreePort.Find(1)[0]);

    /// <summary>Sends SIGKILL, or SIGSTOP: then its connections stay open and nothing answers, as when a host hangs.</summary>
    public void Crash(bool isFrozen)
    {
        _isDown = true;
        Program.Signal(isFrozen ? ProcessSignal.Stop : ProcessSignal.Kill);
    }

    public void Thaw()
    {
        Program.Signal(ProcessSignal.Continue);
        _isDown = false;
    }

    /// <summary>Sends SIGTERM and waits until it has drained and ended.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        Program.Signal(ProcessSignal.Terminate);
        if (await WhenEndedAsync(cancellationToken) is not 0 and var exitCode)
        {
            throw Program.Failed($"ended with exit code {exitCode} after SIGTERM");
        }
    }

    /// <summary>Waits for the end of the process and returns its exit code.</summary>
    public Task<int> WhenEndedAsync(CancellationToken cancellationToken) => Program.ExitCodeAsync(EndTimeout, cancellationToken);

    public void Dispose()
    {
        _program?.Signal(ProcessSignal.Kill);
        _http.Dispose();
    }
}
