using System.Text.Json;
using Whip.Hosting.Flags;
using Whip.Tests.Docs;

namespace Whip.Tests.Deploy;

/// <summary>One service of docker-compose.yml.</summary>
internal sealed class ComposeService(string name, JsonElement service)
{
    public string Name => name;

    /// <summary>The stage of the Dockerfile; empty for an image of others.</summary>
    public string Target { get; } = service.TryGetProperty("build", out var build) ? build.GetProperty("target").GetString()! : "";

    /// <summary>Which of our programs that serve it is; null for the rest.</summary>
    public string? Program => ProgramHelp.Sets.ContainsKey($"whip-{Target}") ? $"whip-{Target}" : null;

    public ProgramFlags Flags => ProgramHelp.Sets[Program!];

    public IReadOnlyList<string> Arguments => Text("command").Split(' ', StringSplitOptions.RemoveEmptyEntries);

    public IReadOnlyList<string> Ports => Texts("ports");

    /// <summary>Where each is mounted, and the name or the path of what is mounted there.</summary>
    public IReadOnlyDictionary<string, string> Mounts =>
        Texts("volumes").Select(volume => volume.Split(':')).ToDictionary(parts => parts[1], parts => parts[0]);

    public IReadOnlyList<string> HealthCheck => service.TryGetProperty("healthcheck", out var check) ? Texts(check, "test") : [];

    public string NetworkMode => Text("network_mode");

    public string StopGracePeriod => Text("stop_grace_period");

    public string Restart => Text("restart");

    public IReadOnlyDictionary<string, string> Environment => Map(service, "environment", value => value.GetString()!);

    /// <summary>The condition, by the service that is waited for.</summary>
    public IReadOnlyDictionary<string, string> DependsOn => Map(service, "depends_on", value => value.GetProperty("condition").GetString()!);

    private string Text(string key) => service.TryGetProperty(key, out var value) ? value.GetString()! : "";

    private List<string> Texts(string key) => Texts(service, key);

    private static List<string> Texts(JsonElement parent, string key) =>
        parent.TryGetProperty(key, out var list) ? [.. list.EnumerateArray().Select(item => item.GetString()!)] : [];

    private static Dictionary<string, string> Map(JsonElement parent, string key, Func<JsonElement, string> read) =>
        parent.TryGetProperty(key, out var map) ? map.EnumerateObject().ToDictionary(pair => pair.Name, pair => read(pair.Value)) : [];
}
