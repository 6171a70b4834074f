using System.Collections.Concurrent;

namespace Whip.Bench.Local;

/// <summary>The programs that stand beside this one, run as child processes over one temporary folder. Disposing ends and removes all of it.</summary>
internal sealed class LocalPrograms : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(10);

    // From what a dying program did to others until its end is known here.
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(0.5);

    private readonly string _programFolder;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly string? _logFolder;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("whip-bench-");
    private readonly Guard _guard;
    private readonly ConcurrentBag<LocalProgram> _all = [];
    private readonly ConcurrentBag<LocalProgram> _servers = [];

    /// <param name="programFolder">Where whip-broker, whip-agent, whip-proxy and whip are.</param>
    /// <param name="environment">What they see besides this process' own variables.</param>
    /// <param name="logFolder">Where all that those who serve log is added to a file for each part; null keeps the last lines only.</param>
    public LocalPrograms(string programFolder, IReadOnlyDictionary<string, string>? environment = null, string? logFolder = null)
    {
        _programFolder = programFolder;
        _logFolder = logFolder;
        _environment = environment ?? new Dictionary<string, string>();
        _guard = new Guard(Folder);
    }

    /// <summary>For certificates and keys.</summary>
    public string Folder => _folder.FullName;

    /// <summary>Starts a program and waits until it serves.</summary>
    /// <exception cref="PartFailedException">It did not come to that.</exception>
    public async Task<LocalProgram> StartAsync(string part, string program, IEnumerable<string> args, CancellationToken cancellationToken)
    {
        var server = Start(part, program, args, _logFolder is null ? null : Path.Combine(_logFolder, $"{part}.log"));
        _servers.Add(server);
        await server.ReadyAsync(StartPatience, cancellationToken);
        return server;
    }

    /// <summary>Runs a program to its end and returns what it wrote to standard output.</summary>
    /// <exception cref="PartFailedException">Its exit code is not 0, or it did not end in time.</exception>
    public Task<string> RunAsync(string part, string program, IEnumerable<string> args, CancellationToken cancellationToken) =>
        Start(part, program, args, logPath: null).OutputAsync(StartPatience, cancellationToken);

    /// <summary>The first program that ends though nobody asked it to.</summary>
    public async Task<LocalProgram> FirstToEndAsync(CancellationToken cancellationToken)
    {
        var ended = await Task.WhenAny(_servers.Select(p => p.Ended)).WaitAsync(cancellationToken);
        return _servers.First(p => p.Ended == ended);
    }

    /// <summary>Whose fault it is that something failed: the program that has just ended, if one has, else <paramref name="suspect"/>.</summary>
    public async Task<LocalProgram> FindCulpritAsync(LocalProgram suspect)
    {
        using var patience = new CancellationTokenSource(EndPatience);
        try
        {
            return await FirstToEndAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            return suspect;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_all.Select(p => p.StopAsync(StopGrace)));
        _folder.Delete(recursive: true);
        _guard.Dispose();
    }

    private LocalProgram Start(string part, string program, IEnumerable<string> args, string? logPath)
    {
        var started = LocalProgram.Start(part, Path.Combine(_programFolder, program), args, _environment, new LogTail(logPath));
        _all.Add(started);
        _guard.Watch(started.Id);
        return started;
    }
}
