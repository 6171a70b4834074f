using System.Net;
using System.Net.Http.Json;
using Whip.Harness.Programs;
using Whip.Protocol.Admin;

namespace Whip.Harness.Cluster;

/// <summary>One broker of a <see cref="LocalCluster"/>. It keeps its id and addresses when it is started again.</summary>
internal sealed class LocalBroker(WhipProcesses programs, string id, IReadOnlyList<string> flags) : IDisposable
{
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(45);

    private readonly IPEndPoint[] _addresses = Array.ConvertAll(FreePort.Find(6), port => new IPEndPoint(IPAddress.Loopback, port));
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private WhipProcess? _program;

    public string Id => id;

    public IPEndPoint Grpc => _addresses[0];

    public IPEndPoint Dial => _addresses[2];

    public IPEndPoint Metrics => _addresses[3];

    public IPEndPoint Admin => _addresses[4];

    public IPEndPoint Silo => _addresses[5];

    /// <summary>How often it was started.</summary>
    public int Starts { get; private set; }

    /// <summary>The process that runs now, or ran last.</summary>
    public WhipProcess Program => _program ?? throw new InvalidOperationException($"{id} was never started");

    /// <summary>Neither killed nor stopped nor frozen by this run, and not ended by itself.</summary>
    public bool IsRunning => _program is { Ended.IsCompleted: false } && !IsDown;

    private bool IsDown { get; set; }

    /// <summary>Starts it and waits until it is ready for dials, which is when it has joined the cluster.</summary>
    /// <exception cref="PartFailedException">It did not come to that.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Launch();
        return WhenReadyAsync(cancellationToken);
    }

    /// <summary>Starts it and does not wait.</summary>
    public void Launch()
    {
        string[] listen =
        [
            "--broker-id", id, "--grpc-listen", $"{_addresses[0]}", "--tcp-listen", $"{_addresses[1]}", "--dial-listen", $"{_addresses[2]}",
            "--metrics-listen", $"{_addresses[3]}", "--admin-listen", $"{_addresses[4]}",
            "--silo-listen", $"{_addresses[5]}", "--gateway-listen", "",
        ];
        _program = programs.Start(id, "whip-broker", [.. listen, .. flags]);
        IsDown = false;
        Starts++;
    }

    /// <exception cref="PartFailedException">It ended instead, or took too long.</exception>
    public async Task WhenReadyAsync(CancellationToken cancellationToken)
    {
        await Program.ReadyAsync(cancellationToken);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(ReadyTimeout);
        while (!await IsReadyAsync(cancellationToken))
        {
            if (deadline.IsCancellationRequested || !IsRunning)
            {
                throw Program.Failed($"/readyz is not 200 within {ReadyTimeout.TotalSeconds} s");
            }

            await Task.Delay(20, cancellationToken);
        }
    }

    /// <summary>Whether it runs and its /readyz says 200.</summary>
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
    public async Task<double> ReadMetricAsync(string name, CancellationToken cancellationToken)
    {
        var scrape = await _http.GetStringAsync(new Uri($"http://{Metrics}/metrics"), cancellationToken);
        return scrape.Split('\n').Where(line => line.StartsWith($"{name} ", StringComparison.Ordinal) || line.StartsWith($"{name}{{", StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>What its admin listener tells.</summary>
    public async Task<BrokerStatus> ReadStatusAsync(CancellationToken cancellationToken) =>
        (await _http.GetFromJsonAsync(new Uri($"http://{Admin}/api/status"), AdminJson.Default.BrokerStatus, cancellationToken))!;

    /// <summary>Its silo has another address from the next start on.</summary>
    public void MoveSilo() => _addresses[5] = new IPEndPoint(IPAddress.Loopback, FreePort.Find(1)[0]);

    /// <summary>SIGKILL.</summary>
    public void Kill() => Signal(ProcessSignal.Kill);

    /// <summary>SIGSTOP: its connections stay open, nothing answers, as when a host hangs.</summary>
    public void Freeze() => Signal(ProcessSignal.Stop);

    public void Thaw()
    {
        Program.Signal(ProcessSignal.Continue);
        IsDown = false;
    }

    /// <summary>SIGTERM, and waits until it has drained and ended.</summary>
    /// <exception cref="PartFailedException">It did not, or not with exit code 0.</exception>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        Program.Signal(ProcessSignal.Terminate);
        var exitCode = await WhenEndedAsync(cancellationToken);
        if (exitCode != 0)
        {
            throw Program.Failed($"ended with exit code {exitCode} after SIGTERM");
        }
    }

    /// <summary>The exit code of a process that has to end now.</summary>
    /// <exception cref="PartFailedException">It did not.</exception>
    public async Task<int> WhenEndedAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await Program.Ended.WaitAsync(EndTimeout, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw Program.Failed($"still runs after {EndTimeout.TotalSeconds} s");
        }
    }

    /// <summary>SIGKILL to what still runs.</summary>
    public void Dispose()
    {
        _program?.Signal(ProcessSignal.Kill);
        _http.Dispose();
    }

    private void Signal(ProcessSignal signal)
    {
        IsDown = true;
        Program.Signal(signal);
    }
}
