using System.Diagnostics;
using Npgsql;
using Whip.Harness.Programs;

namespace Whip.Harness;

/// <summary>
/// A PostgreSQL of its own: real server, folder and port, run by a user who is not root. It is gone with its folder when disposed, and when this
/// process ends in whatever way.
/// </summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    public const string Password = "pa55word of this machine";
    public const string Missing = "PostgreSQL is not installed: apt-get install -y postgresql";

    private const string Part = "PostgreSQL";

    private const string EndServer = """
        read -r _
        pid=$(head -n 1 data/postmaster.pid) && kill -KILL "$pid" $(cat "/proc/$pid/task/$pid/children")
        rm -rf -- "$1"
        """;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);
    private static readonly string? Binaries = FindBinaries();

    private readonly string _folder;
    private readonly Watchdog _watchdog;
    private int _databases;

    private PostgresServer(string folder)
    {
        _folder = folder;
        _watchdog = new Watchdog(folder, EndServer);
        Port = FreePort.Find(1)[0];
    }

    public static bool IsInstalled => Binaries is not null;

    public int Port { get; }

    /// <summary>A new server with nothing in it, that serves.</summary>
    /// <exception cref="PartFailedException">It is not installed, or did not start.</exception>
    public static async Task<PostgresServer> StartNewAsync()
    {
        if (!IsInstalled)
        {
            throw new PartFailedException(Part, Missing, []);
        }

        var folder = Directory.CreateTempSubdirectory("whip-postgres-").FullName;
        await File.WriteAllTextAsync($"{folder}/password", Password);
        if (Environment.IsPrivilegedProcess)
        {
            await RunAsync("chown", "-R", "postgres", folder);
        }

        var server = new PostgresServer(folder);
        try
        {
            await RunAsUserAsync("initdb", "-D", $"{folder}/data", "-U", "whip", "-A", "scram-sha-256", "--pwfile", $"{folder}/password", "--no-sync", "--no-locale", "-E", "UTF8");
            await server.StartAsync();
            return server;
        }
        catch (Exception)
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>A database of its own, as WHIP_POSTGRES names it.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var database = $"whip{Interlocked.Increment(ref _databases)}";
        await ScalarAsync(ConnectionString("postgres"), $"CREATE DATABASE {database}");
        return ConnectionString(database);
    }

    public string ConnectionString(string database) => $"Host=127.0.0.1;Port={Port};Username=whip;Password={Password};Database={database}";

    public static Task ExecuteAsync(string connectionString, string sql) => ScalarAsync(connectionString, sql);

    /// <summary>Runs statements over a connection of their own; the first value of the first row, if there is one.</summary>
    public static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync().WaitAsync(Timeout);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync().WaitAsync(Timeout);
    }

    /// <exception cref="PartFailedException">It did not start; its own log says why.</exception>
    public async Task StartAsync()
    {
        var options = $"-p {Port} -k {_folder} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off -c max_connections=200";
        try
        {
            await PgCtlAsync("start", "-l", $"{_folder}/log", "-o", options);
        }
        catch (PartFailedException failure) when (File.Exists($"{_folder}/log"))
        {
            throw new PartFailedException(Part, $"{failure.Message}: {string.Join(" / ", File.ReadLines($"{_folder}/log").TakeLast(5))}", [], failure);
        }
    }

    /// <summary>Ends it as an administrator does: open connections are told and closed.</summary>
    public Task StopAsync() => PgCtlAsync("stop", "-m", "fast");

    /// <summary>SIGKILL to all of it.</summary>
    public async Task KillAsync()
    {
        // Stopped first, it has no child that is not on the list.
        Freeze();
        var pids = SignalAll(ProcessSignal.Kill);
        using var deadline = new CancellationTokenSource(Timeout);
        while (!Array.TrueForAll(pids, LinuxProcess.HasEnded))
        {
            await Task.Delay(5, deadline.Token);
        }

        // A zombie that nobody has reaped yet counts as the holder of its locks.
        File.Delete($"{_folder}/data/postmaster.pid");
        File.Delete($"{_folder}/.s.PGSQL.{Port}.lock");
    }

    /// <summary>SIGSTOP: connections stay open, new ones are taken by the kernel, nothing answers.</summary>
    public void Freeze() => SignalAll(ProcessSignal.Stop);

    public void Thaw() => SignalAll(ProcessSignal.Continue);

    public async ValueTask DisposeAsync()
    {
        if (File.Exists($"{_folder}/data/postmaster.pid"))
        {
            await KillAsync();
        }

        _watchdog.Dispose();
    }

    private static string? FindBinaries()
    {
        var installed = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [];
        var newest = installed.OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), out var version) ? version : 0).Select(folder => $"{folder}/bin");
        return newest.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')).FirstOrDefault(folder => File.Exists($"{folder}/pg_ctl"));
    }

    /// <summary>PostgreSQL refuses to be run by root.</summary>
    private static Task RunAsUserAsync(string program, params string[] args) => Environment.IsPrivilegedProcess
        ? RunAsync("runuser", ["-u", "postgres", "--", $"{Binaries}/{program}", .. args])
        : RunAsync($"{Binaries}/{program}", args);

    private static async Task RunAsync(string program, params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo(program, args) { WorkingDirectory = "/", RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync().WaitAsync(Timeout);
            if (process.ExitCode != 0)
            {
                throw new PartFailedException(Part, $"{string.Join(' ', args.Prepend(program))}: exit code {process.ExitCode}", (await output + await error).Split('\n'));
            }
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    private Task PgCtlAsync(params string[] args) => RunAsUserAsync("pg_ctl", ["-D", $"{_folder}/data", "-w", "-t", "30", "-s", .. args]);

    private int[] SignalAll(ProcessSignal signal)
    {
        var postmaster = int.Parse(File.ReadLines($"{_folder}/data/postmaster.pid").First());
        int[] pids = [postmaster, .. LinuxProcess.ChildrenOf(postmaster)];
        Array.ForEach(pids, pid => LinuxProcess.Send(pid, signal));
        return pids;
    }
}
