using System.Collections.Concurrent;
using System.Diagnostics;

namespace Whip.Harness.Programs;

/// <summary>Programs of one folder, run as child processes over one temporary folder. Disposing ends and removes all of it.</summary>
internal sealed class WhipProcesses : IAsyncDisposable
{
    // Every program has this variable with the folder as its value, and is found by it, even while it is being started.
    private const string Mark = "HARNESS_FOLDER";

    private const string EndPrograms =
        $$"""
        read -r _ && exit
        pids() { grep -lsF "{{Mark}}=$1" /proc/[0-9]*/environ | cut -d/ -f3; }
        sleep 0.2
        kill -TERM $(pids "$1")
        tries=50
        while [ -n "$(pids "$1")" ] && [ $tries -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
        kill -KILL $(pids "$1")
        rm -rf -- "$1"
        """;

    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(10);

    // From the failure that a dying program causes until its end is known here.
    private static readonly TimeSpan EndDelay = TimeSpan.FromSeconds(0.5);

    private readonly string _programFolder;
    private readonly Dictionary<string, string> _environment;
    private readonly string? _logFolder;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("whip-harness-");
    private readonly Watchdog _watchdog;
    private readonly ConcurrentBag<WhipProcess> _all = [];

    /// <param name="programFolder">The folder of whip-broker, whip-agent, whip-proxy and whip.</param>
    /// <param name="environment">Variables besides those of this process.</param>
    /// <param name="logFolder">Gets a file with the whole log of each part; null keeps the last lines only.</param>
    public WhipProcesses(string programFolder, IReadOnlyDictionary<string, string>? environment = null, string? logFolder = null)
    {
        (_programFolder, _logFolder) = (programFolder, logFolder);
        _environment = new Dictionary<string, string>(environment ?? new Dictionary<string, string>()) { [Mark] = Folder };
        _watchdog = new Watchdog(Folder, EndPrograms);
    }

    public string Folder => _folder.FullName;

    public async Task<WhipProcess> StartAsync(string part, string program, IEnumerable<string> args, CancellationToken cancellationToken)
    {
        var started = Start(part, program, args);
        await started.ReadyAsync(cancellationToken);
        return started;
    }

    /// <param name="part">Its name here.</param>
    /// <param name="program">Such as whip-broker.</param>
    /// <param name="args">Its arguments.</param>
    /// <param name="openFiles">The most files it may have open; null leaves the limit of this process.</param>
    /// <param name="through">A command that runs the rest of its arguments in its own place, such as in another network; null for none.</param>
    public WhipProcess Start(string part, string program, IEnumerable<string> args, int? openFiles = null, IEnumerable<string>? through = null)
    {
        var logPath = _logFolder is null ? null : Path.Combine(_logFolder, $"{part}.log");
        string[] limited = openFiles is { } limit ? ["/bin/sh", "-c", $"ulimit -n {limit}; exec \"$0\" \"$@\""] : [];
        string[] command = [.. through ?? [], .. limited, Path.Combine(_programFolder, program), .. args];
        var started = WhipProcess.Start(part, command[0], command[1..], _environment, logPath);
        _all.Add(started);
        return started;
    }

    /// <summary>Starts a program whose standard input and output are the caller's. The caller ends it.</summary>
    public Process StartPiped(string program, IEnumerable<string> args, IEnumerable<string>? through = null)
    {
        string[] command = [.. through ?? [], Path.Combine(_programFolder, program), .. args];
        return Process.Start(WhipProcess.StartInfo(command[0], command[1..], _environment))!;
    }

    /// <summary>The first program that ends without being asked to.</summary>
    public async Task<WhipProcess> FirstToEndAsync(CancellationToken cancellationToken)
    {
        var ended = await Task.WhenAny(_all.Select(p => p.Ended)).WaitAsync(cancellationToken);
        return _all.First(p => p.Ended == ended);
    }

    /// <summary>The program to blame when something failed: the one that has just ended, if one has, else <paramref name="suspect"/>.</summary>
    public async Task<WhipProcess> FindCulpritAsync(WhipProcess suspect)
    {
        await Task.WhenAny([Task.Delay(EndDelay), .. _all.Select(p => p.Ended)]);
        return _all.FirstOrDefault(p => p.Ended.IsCompleted) ?? suspect;
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_all.Select(p => p.StopAsync(StopGrace)));
        _folder.Delete(recursive: true);
        _watchdog.Dispose();
    }
}
