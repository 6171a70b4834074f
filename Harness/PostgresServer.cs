using Npgsql;
using Whip.Harness.Programs;

namespace Whip.Harness;

/// <summary>
/// A PostgreSQL server with a folder and a port of its own, run by a user who is not root. Server and folder are removed on disposal, and when this
/// process ends in any way.
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

    /// <summary>The folder of its programs, of the newest version; null if it is not installed.</summary>
    public static string? Binaries { get; } = FindBinaries();

    public int Port { get; }

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

        return await Parts.StartAsync(new PostgresServer(folder), async server =>
        {
            string[] password = ["-A", "scram-sha-256", "--pwfile", $"{folder}/password"];
            await RunAsUserAsync("initdb", ["-D", $"{folder}/data", "-U", "whip", .. password, "--no-sync", "--no-locale", "-E", "UTF8"]);
            await server.StartAsync();
        });
    }

    /// <summary>Creates a database and returns its connection string, as WHIP_POSTGRES takes it.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var database = $"whip{Interlocked.Increment(ref _databases)}";
        await ScalarAsync(ConnectionString("postgres"), $"CREATE DATABASE {database}");
        return ConnectionString(database);
    }

    public string ConnectionString(string database) => $"Host=127.0.0.1;Port={Port};Username=whip;Password={Password};Database={database}";

    public static Task ExecuteAsync(string connectionString, string sql) => ScalarAsync(connectionString, sql);

    /// <summary>Runs statements over a connection of their own and returns the first value of the first row, if there is one.</summary>
    public static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync().WaitAsync(Timeout);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync().WaitAsync(Timeout);
    }

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

    /// <summary>Ends it as an administrator does: open connections are closed.</summary>
    public Task StopAsync() => PgCtlAsync("stop", "-m", "fast");

    public async Task KillAsync()
    {
        // While it is stopped it starts no child that is not on the list.
        Freeze();
        var pids = SignalAll(ProcessSignal.Kill);
        if (!await Polling.UntilAsync(() => Array.TrueForAll(pids, LinuxProcess.HasEnded), Timeout, TimeSpan.FromMilliseconds(5), CancellationToken.None))
        {
            throw new PartFailedException(Part, $"runs {Timeout.TotalSeconds} s after SIGKILL", []);
        }

        // A zombie that has not been reaped counts as the holder of its locks.
        File.Delete($"{_folder}/data/postmaster.pid");
        File.Delete($"{_folder}/.s.PGSQL.{Port}.lock");
    }

    /// <summary>Sends SIGSTOP: connections stay open, the kernel accepts new ones, and nothing answers.</summary>
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
        var newestFirst = installed.OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), out var version) ? version : 0);
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        return newestFirst.Select(folder => $"{folder}/bin").Concat(path).FirstOrDefault(folder => File.Exists($"{folder}/pg_ctl"));
    }

    /// <summary>PostgreSQL refuses to be run by root.</summary>
    private static Task RunAsUserAsync(string program, params string[] args) => Environment.IsPrivilegedProcess
        ? RunAsync("runuser", ["-u", "postgres", "--", $"{Binaries}/{program}", .. args])
        : RunAsync($"{Binaries}/{program}", args);

    private static async Task RunAsync(string program, params string[] args)
    {
        var command = await ShellCommand.RunAsync("/", Timeout, program, args);
        if (command.ExitCode != 0)
        {
            throw new PartFailedException(Part, $"{string.Join(' ', args.Prepend(program))}: exit code {command.ExitCode}", command.Text.Split('\n'));
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
