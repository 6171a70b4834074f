using Prometheus;
using Whip.Protocol.Admin;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Hosting.Files;

/// <summary>What a program reads again when it changes.</summary>
internal interface ILiveFile
{
    /// <summary>The label of the metric.</summary>
    string Kind { get; }

    /// <summary>Why what the file holds now is not in force; null if it is.</summary>
    string? Problem { get; }

    /// <summary>Reads the file if it has changed and logs what became of it; with <paramref name="atOnce"/> a fault is not waited out.</summary>
    void Look(bool atOnce);
}

/// <summary>Looks at the files of one program every second, and at once when asked.</summary>
internal sealed class LiveFiles
{
    private const int MaxProblem = 1024;

    private readonly (ILiveFile File, Gauge.Child Refused)[] _files;
    private readonly TimeProvider _time;

    public LiveFiles(string program, CollectorRegistry registry, TimeProvider time, params ILiveFile[] files)
    {
        _time = time;
        var refused = Prometheus.Metrics.WithCustomRegistry(registry).CreateGauge(
            $"whip_{program}_reload_refused", "1 while what a file holds is refused and the content before it is in force, else 0.", "file");
        _files = Array.ConvertAll(files, file => (file, refused.WithLabels(file.Kind)));
    }

    /// <summary>Those whose content is refused now.</summary>
    public IReadOnlyList<RefusedFile> Refused =>
        [.. _files.Select(entry => new RefusedFile(entry.File.Kind, Printable.Clean(entry.File.Problem, MaxProblem))).Where(file => file.Problem.Length > 0)];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TlsIdentity.LookInterval, _time);
        do
        {
            Look();
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    public void Look(bool atOnce = false)
    {
        // A signal may come while the loop looks.
        lock (_files)
        {
            foreach (var (file, refused) in _files)
            {
                file.Look(atOnce);
                refused.Set(file.Problem is null ? 0 : 1);
            }
        }
    }
}
