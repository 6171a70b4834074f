using System.Diagnostics;
using System.Net.NetworkInformation;
using Npgsql;
using Xunit;

namespace Whip.Tests.Support;

/// <summary>
/// A PostgreSQL of its own: real server, folder and port, run by a user who is not root. Without one a test is skipped, or fails when
/// WHIP_REQUIRE_TOOLS is 1. It is gone with its folder when disposed, and when this process ends in whatever way.
/// </summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    public const string Password = "pa55word of the tests";
    private const string Missing = "PostgreSQL is not installed: apt-get install -y postgresql";

    // Waits for the end of the pipe from this process.
    private const string Guard = """
        exec >/dev/null 2>&1
        read -r _
        pid=$(head -n 1 data/postmaster.pid) && kill -KILL "$pid" $(cat "/proc/$pid/task/$pid/children")
        rm -rf "$PWD"
        """;

    private static readonly string? Binaries = FindBinaries();
    private static readonly Lazy<Task<PostgresServer>> SharedServer = new(StartNewAsync);
    private readonly string _folder;
    private readonly Process _guard;
    private int _databases;

    private PostgresServer(string folder)
    {
        _folder = folder;
        _guard = Process.Start(new ProcessStartInfo("sh", ["-c", Guard]) { WorkingDirectory = folder, RedirectStandardInput = true })!;
        Port = FindPort();
    }

    public int Port { get; }

    /// <summary>The server that tests share which do it no harm.</summary>
    public static Task<PostgresServer> SharedAsync()
    {
        Require();
        return SharedServer.Value;
    }

    /// <summary>A server for one test, to stop, kill or freeze.</summary>
    public static Task<PostgresServer> PrivateAsync()
    {
        Require();
        return StartNewAsync();
    }

    /// <summary>A database of its own, as WHIP_POSTGRES names it.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var database = $"test{Interlocked.Increment(ref _databases)}";
        await ExecuteAsync(ConnectionString("postgres"), $"CREATE DATABASE {database}");
        return ConnectionString(database);
    }

    public string ConnectionString(string database) => $"Host=127.0.0.1;Port={Port};Username=whip;Password={Password};Database={database}";

    public static async Task ExecuteAsync(string connectionString, string sql) => await ScalarAsync(connectionString, sql);

    /// <summary>Runs statements; the first value of the first row, if there is one.</summary>
    public static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync().WaitAsync(Patience.Long);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync().WaitAsync(Patience.Long);
    }

    public Task StartAsync() => PgCtlAsync(
        "start", "-l", $"{_folder}/log", "-o", $"-p {Port} -k {_folder} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off -c max_connections=200");

    /// <summary>Ends it as an administrator does: open connections are told and closed.</summary>
    public Task StopAsync() => PgCtlAsync("stop", "-m", "fast");

    /// <summary>SIGKILL to all of it.</summary>
    public async Task KillAsync()
    {
        // Stopped first, it has no child that is not on the list.
        Freeze();
        var pids = SignalAll(9);
        await Patience.UntilAsync(() => pids.All(pid => StatusOf(pid) is null or ["Z", ..]), "the end of the killed server");
        File.Delete($"{_folder}/data/postmaster.pid");
    }

    /// <summary>SIGSTOP: connections stay open, new ones are taken by the kernel, nothing answers.</summary>
    public void Freeze() => SignalAll(19);

    public void Thaw() => SignalAll(18);

    public async ValueTask DisposeAsync()
    {
        if (File.Exists($"{_folder}/data/postmaster.pid"))
        {
            await KillAsync();
        }

        _guard.StandardInput.Close();
        await _guard.WaitForExitAsync().WaitAsync(Patience.Long);
        _guard.Dispose();
    }

    private static void Require()
    {
        var problem = Binaries is null ? Missing : null;
        if (Environment.GetEnvironmentVariable("WHIP_REQUIRE_TOOLS") == "1")
        {
            Assert.True(problem is null, problem);
        }

        Skip.IfNot(problem is null, problem);
    }

    private static async Task<PostgresServer> StartNewAsync()
    {
        var folder = Directory.CreateTempSubdirectory("whip-postgres-").FullName;
        await File.WriteAllTextAsync($"{folder}/password", Password);
        if (Environment.IsPrivilegedProcess)
        {
            Assert.Equal(0, (await ShellCommand.RunAsync("/", "chown", "-R", "postgres", folder)).ExitCode);
        }

        var server = new PostgresServer(folder);
        await RunAsync($"{Binaries}/initdb", "-D", $"{folder}/data", "-U", "whip", "-A", "scram-sha-256", "--pwfile", $"{folder}/password", "--no-sync", "--no-locale", "-E", "UTF8");
        await server.StartAsync();
        return server;
    }

    private static string? FindBinaries()
    {
        var installed = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [];
        var newest = installed.OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), out var version) ? version : 0).Select(folder => $"{folder}/bin");
        return newest.Append(Path.GetDirectoryName(NodeTools.Find("pg_ctl"))).FirstOrDefault(folder => File.Exists($"{folder}/pg_ctl"));
    }

    /// <summary>Free, and not one of those that other tests get for port 0 while a server is down.</summary>
    private static int FindPort()
    {
        var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(l => l.Port).ToHashSet();
        return Enumerable.Repeat(0, 100).Select(_ => Random.Shared.Next(20000, 32000)).First(port => !taken.Contains(port));
    }

    private static async Task RunAsync(string program, params string[] args)
    {
        string[] command = Environment.IsPrivilegedProcess ? ["runuser", "-u", "postgres", "--", program, .. args] : [program, .. args];
        var ended = await ShellCommand.RunAsync("/", command[0], command[1..]);
        Assert.True(ended.ExitCode == 0, $"{program}: {ended.Text}");
    }

    private Task PgCtlAsync(params string[] args) => RunAsync($"{Binaries}/pg_ctl", ["-D", $"{_folder}/data", "-w", "-t", "30", "-s", .. args]);

    private int[] SignalAll(int signal)
    {
        var postmaster = int.Parse(File.ReadLines($"{_folder}/data/postmaster.pid").First());
        var children = Directory.GetDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), out var pid) ? pid : 0)
            .Where(pid => pid > 0 && StatusOf(pid) is [_, var parent, ..] && parent == $"{postmaster}");
        int[] pids = [postmaster, .. children];
        foreach (var pid in pids)
        {
            // Fails only for one that has just ended.
            _ = WhipProcess.SendSignal(pid, signal);
        }

        return pids;
    }

    /// <summary>State, parent and so on of a process; null for one that is gone.</summary>
    private static string[]? StatusOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
