using System.Collections.Concurrent;
using System.Diagnostics;

namespace Whip.Tests.Support;

/// <summary>Programs that tests run and the machine may lack.</summary>
internal static class Tools
{
    /// <summary>Skips the test without the program, or fails it when WHIP_REQUIRE_TOOLS is 1.</summary>
    public static void Require(string program)
    {
        var found = ProgramFiles.Find(program) is not null;
        var problem = $"{program} is not installed: apt-get install -y {program}";
        Assert.True(found || Environment.GetEnvironmentVariable("WHIP_REQUIRE_TOOLS") != "1", problem);
        Skip.IfNot(found, problem);
    }
}

/// <summary>node and npm for the peers that are not ours. Without them a test is skipped, or fails when WHIP_REQUIRE_TOOLS is 1.</summary>
internal static class NodeTools
{
    private const string Missing = "node is not installed: apt-get install -y nodejs npm";
    private static readonly TimeSpan InstallTimeout = TimeSpan.FromMinutes(3);
    private static readonly ConcurrentDictionary<string, Lazy<Task<string?>>> Installs = new();

    /// <summary>Installs the packages of a folder of scripts, once per run, beside the copy of the scripts in the test's output.</summary>
    /// <param name="folder">Relative to the Tests project; it holds package.json and package-lock.json.</param>
    /// <returns>The folder to start scripts from.</returns>
    public static async Task<string> RequireAsync(string folder)
    {
        var installed = Path.Combine(AppContext.BaseDirectory, folder);
        var problem = ProgramFiles.Find("node") is null || ProgramFiles.Find("npm") is null
            ? Missing
            : await Installs.GetOrAdd(installed, path => new Lazy<Task<string?>>(() => InstallAsync(path))).Value;
        if (Environment.GetEnvironmentVariable("WHIP_REQUIRE_TOOLS") == "1")
        {
            Assert.True(problem is null, problem);
        }

        Skip.IfNot(problem is null, problem);
        return installed;
    }

    /// <returns>Null, or why there are no packages.</returns>
    private static async Task<string?> InstallAsync(string folder)
    {
        var wanted = await File.ReadAllTextAsync(Path.Combine(folder, "package-lock.json"));
        var stamp = Path.Combine(folder, "node_modules", ".installed-lock");
        if (File.Exists(stamp) && await File.ReadAllTextAsync(stamp) == wanted)
        {
            return null;
        }

        var start = new ProcessStartInfo(ProgramFiles.Find("npm")!, ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var npm = Process.Start(start)!;
        using var due = new CancellationTokenSource(InstallTimeout);
        var output = npm.StandardOutput.ReadToEndAsync(due.Token);
        var errors = npm.StandardError.ReadToEndAsync(due.Token);
        try
        {
            await npm.WaitForExitAsync(due.Token);
        }
        catch (OperationCanceledException)
        {
            npm.Kill(entireProcessTree: true);
            return $"npm ci in {folder} took more than {InstallTimeout.TotalMinutes} minutes";
        }

        if (npm.ExitCode != 0)
        {
            return $"npm ci in {folder} failed: {await output}{await errors}";
        }

        await File.WriteAllTextAsync(stamp, wanted);
        return null;
    }
}
