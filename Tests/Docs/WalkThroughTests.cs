using System.Text.RegularExpressions;
using Npgsql;

namespace Whip.Tests.Docs;

/// <summary>The walk-throughs of the documents, run as they stand but for their ports, which other programs of this machine may have.</summary>
public sealed partial class WalkThroughTests
{
    private const string BlockEnd = "=== end of block";

    // The programs are built already. Whatever happens, nothing is left running.
    private const string Prologue = """
        set -euo pipefail
        make() { :; }
        trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT

        """;

    // Where a document relies on the broker's default ports, these have to be replaced too.
    private const string BrokerOnDefaultPorts = """
        whip-broker() {
            exec whip-broker --grpc-listen :50051 --tcp-listen :8000 --dial-listen :8010 --metrics-listen :8080 --admin-listen 127.0.0.1:8081 "$@"
        }

        """;

    private const string ClusterSetUp = """
        export PATH="$PWD/bin:$PATH"

        """;

    // A published port: the server has the one that it has.
    private const string PostgresPort = "5432";

    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(5);

    [GeneratedRegex(@"\b[1-9][0-9]{3,4}\b")]
    private static partial Regex Port { get; }

    [SkippableFact]
    public Task Typing_the_walk_through_does_what_the_readme_says() => TypeAsync(Documents.Readme, BrokerOnDefaultPorts, []);

    [SkippableFact]
    public async Task Typing_the_cluster_by_hand_does_what_its_page_says()
    {
        var server = await PostgresServer.SharedAsync();
        var database = new NpgsqlConnectionStringBuilder(await server.CreateDatabaseAsync());
        var uri = $"postgres://{database.Username}:{Uri.EscapeDataString(database.Password!)}@{database.Host}:{database.Port}/{database.Database}";
        var path = $"{PostgresServer.Binaries}:{Environment.GetEnvironmentVariable("PATH")}";
        await TypeAsync(
            Documents.All["docs/cluster.md"], ClusterSetUp, new() { [PostgresPort] = $"{server.Port}" }, $"WHIP_POSTGRES={uri}", $"PATH={path}");
    }

    [SkippableTheory]
    [InlineData("README.md")]
    [InlineData("docs/cluster.md")]
    public async Task A_program_that_has_exited_is_not_waited_for(string document)
    {
        Tools.Require("curl");
        var block = DocBlock.Read(Documents.All[document]).Single(block => block.Text.StartsWith("wait_for()", StringComparison.Ordinal));
        var function = block.Text[..(block.Text.IndexOf("\n}\n", StringComparison.Ordinal) + 3)];
        const string Counted = "sleep() { echo slept; command sleep 0.2; }";
        var run = await ShellCommand.RunAsync("/", "bash", "-c", $"{function}\n{Counted}\nfalse &\nwait_for http://127.0.0.1:1/readyz");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("the program has exited", run.Text);

        // Not until the last of sixty tries.
        Assert.True(run.Text.Split("slept").Length < 30, run.Text);
    }

    private static async Task TypeAsync(string document, string setUp, Dictionary<string, string> ports, params string[] variables)
    {
        Tools.Require("curl");
        var blocks = DocBlock.Read(document);
        var script = Prologue + setUp + string.Concat(blocks.Where(IsTyped).Select(block => $"{block.Text}echo '{BlockEnd}'\n"));
        var documented = Port.Matches(script).Select(match => match.Value).Distinct().Where(port => !ports.ContainsKey(port)).ToArray();
        foreach (var (port, free) in documented.Zip(FreePort.Find(documented.Length)))
        {
            ports[port] = $"{free}";
        }

        using var folder = new TempFolder();
        File.CreateSymbolicLink(folder.PathOf("bin"), AppContext.BaseDirectory);

        var run = await ShellCommand.RunAsync(
            folder.FullName, Timeout, "env", ["-u", "WHIP_PROXY_PASSWORD", $"TMPDIR={folder.FullName}", .. variables, "bash", "-c", WithPorts(script)]);

        Assert.True(run.ExitCode == 0, run.Text + Logs(folder));
        var said = run.Text.Split(BlockEnd);
        foreach (var (output, expected) in said.Zip(blocks.Where(IsTyped).Select(block => Expected(blocks, block))))
        {
            Assert.All(expected, line => Assert.Contains(WithPorts(line), output.Split('\n', StringSplitOptions.TrimEntries)));
        }

        Assert.DoesNotMatch(" (ERR|FTL) |::ffff:", Logs(folder));

        string WithPorts(string text) => Port.Replace(text, match => ports.GetValueOrDefault(match.Value, match.Value));
    }

    private static bool IsTyped(DocBlock block) => block.Marker == "walk-through";

    /// <summary>The lines of the text block that follows, if one does before the next block to type.</summary>
    private static string[] Expected(List<DocBlock> blocks, DocBlock typed) =>
        blocks.SkipWhile(block => block != typed).Skip(1).FirstOrDefault() is { Language: "text" } expected
            ? expected.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            : [];

    private static string Logs(TempFolder folder) =>
        string.Concat(Directory.EnumerateFiles(folder.FullName, "*.log", SearchOption.AllDirectories)
            .Select(path => $"\n--- {Path.GetFileName(path)}\n{File.ReadAllText(path)}"));
}
