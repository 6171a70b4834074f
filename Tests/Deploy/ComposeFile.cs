using System.Text.Json;
using Whip.Tests.Docs;

namespace Whip.Tests.Deploy;

/// <summary>docker-compose.yml, its anchors and merges resolved.</summary>
internal sealed class ComposeFile
{
    private const string ToJson = "import json, sys, yaml; json.dump(yaml.safe_load(open('docker-compose.yml')), sys.stdout)";

    private ComposeFile(JsonElement file) =>
        Services = file.GetProperty("services").EnumerateObject()
            .ToDictionary(service => service.Name, service => new ComposeService(service.Name, service.Value));

    public IReadOnlyDictionary<string, ComposeService> Services { get; }

    /// <summary>The services that are one of our programs that serve.</summary>
    public IEnumerable<ComposeService> Programs => Services.Values.Where(service => service.Program is not null);

    public IEnumerable<ComposeService> Brokers => Programs.Where(service => service.Program == "whip-broker");

    /// <summary>The YAML is read by what docker-compose itself reads it with, so without that the test is skipped.</summary>
    public static async Task<ComposeFile> ReadAsync()
    {
        Tools.Require("docker-compose");
        var run = await ShellCommand.RunAsync(Documents.Root, "python3", "-c", ToJson);
        Assert.True(run.ExitCode == 0, run.Text);
        return new ComposeFile(JsonDocument.Parse(run.Text).RootElement);
    }
}
