using Whip.Agent.Checks;
using Whip.Agent.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Protocol.Via;

namespace Whip.Agent;

/// <summary>The options, checked, and what was read from their texts.</summary>
internal sealed record AgentSettings(
    WhipAgentOptions Options, InstanceName Name, OrderedDictionary<int, LocalTarget> Ports, IReadOnlyList<HostPort> Endpoints,
    IReadOnlyList<NameGlob> AllowDialers, IReadOnlyList<PortCheck> Checks,
    IReadOnlyDictionary<int, bool> ProxyProtocol, WayOut Via)
{
    private const int MaxPorts = 64;

    private static readonly TimeSpan MinCheckInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>The ports and their targets, for this machine's own logs.</summary>
    public string Published => string.Join(',', Ports.Select(published => $"{published.Key}={published.Value}"));

    /// <summary>Checks everything before anything starts.</summary>
    /// <exception cref="WhipOptionException">The first option that cannot work.</exception>
    public static AgentSettings Check(WhipAgentOptions options)
    {
        OptionText.Require(DnsName.IsLabel(options.Hostname), nameof(options.Hostname), options.Hostname, "not a DNS label", "instance1");
        OptionText.Require(options.Domain.Length > 0, nameof(options.Domain), null, "required", "testdom");
        OptionText.Require(
            InstanceName.TryCreate(options.Hostname, options.Domain, out var name), nameof(options.Domain), options.Domain, "not a DNS name", "testdom");
        OptionText.Require(
            HostPort.TryNormalizeHost(options.TargetHost, out var targetHost),
            nameof(options.TargetHost), options.TargetHost, "not a host name or address", "127.0.0.1");
        OptionText.Require(options.Homes > 0, nameof(options.Homes), $"{options.Homes}", "not a number of homes", "2 or all");
        OptionText.Duration(nameof(options.DrainTimeout), options.DrainTimeout);
        options.Limits.Check();
        var ports = CheckPorts(options.Ports, targetHost);
        return new AgentSettings(
            options, name, ports, CheckEndpoints(options.Endpoints), [.. options.AllowDialers.Select(CheckDialer)], CheckChecks(options, ports),
            CheckProxyProtocol(options.ProxyProtocol, ports), WayOut.Of(options.Via));
    }

    /// <summary>Whether a dialer with these verified names may connect.</summary>
    public bool AllowsDialer(IEnumerable<string> names) =>
        AllowDialers.Count == 0 || names.Any(n => AllowDialers.Any(p => p.Matches(n)));

    private static OrderedDictionary<int, LocalTarget> CheckPorts(IList<PublishedPort> published, string targetHost)
    {
        const string Option = nameof(WhipAgentOptions.Ports);
        OptionText.Require(published.Count > 0, Option, null, "required", "5051");
        var ports = new OrderedDictionary<int, LocalTarget>();
        foreach (var entry in published)
        {
            OptionText.Number(Option, $"{entry.Port}", 1, 65535);
            var target = LocalTarget.Of(Option, entry, targetHost);
            var isNew = ports.TryAdd(entry.Port, target);
            OptionText.Require(
                isNew || ports[entry.Port] == target, Option, $"{entry}", $"port {entry.Port} has another target already", "one target for each");
        }

        OptionText.Require(ports.Count <= MaxPorts, Option, $"{ports.Count} ports", "too many", $"up to {MaxPorts}");
        return ports;
    }

    private static List<PortCheck> CheckChecks(WhipAgentOptions options, OrderedDictionary<int, LocalTarget> ports)
    {
        var checks = new List<PortCheck>();
        foreach (var text in options.Checks)
        {
            var check = PortCheck.Parse(nameof(options.Checks), text);
            var isKnown = checks.Exists(other => other.Port == check.Port);
            OptionText.Require(
                ports.ContainsKey(check.Port), nameof(options.Checks), text, $"port {check.Port} is not in {{{nameof(options.Ports)}}}", "one that is");
            OptionText.Require(!isKnown, nameof(options.Checks), text, "the port has a check already", "one for each");
            checks.Add(check);
        }

        OptionText.Require(
            OptionText.Duration(nameof(options.CheckInterval), options.CheckInterval) >= MinCheckInterval,
            nameof(options.CheckInterval), GoDuration.Format(options.CheckInterval), "too short", $"at least {GoDuration.Format(MinCheckInterval)}");
        OptionText.Positive(nameof(options.CheckTimeout), options.CheckTimeout);
        OptionText.Number(nameof(options.CheckThreshold), $"{options.CheckThreshold}", 1, AgentFlags.MaxThreshold);
        return checks;
    }

    /// <returns>By port, whether the service is told names.</returns>
    private static Dictionary<int, bool> CheckProxyProtocol(IList<string> texts, OrderedDictionary<int, LocalTarget> ports)
    {
        const string Option = nameof(WhipAgentOptions.ProxyProtocol);
        const string AddressOnly = "=address";
        var proxied = new Dictionary<int, bool>();
        foreach (var text in texts)
        {
            var hasNames = !text.EndsWith(AddressOnly, StringComparison.Ordinal);
            var isPort = PublishedPort.TryReadPort(hasNames ? text : text[..^AddressOnly.Length], out var port);
            OptionText.Require(isPort, Option, text, $"neither a port nor a port and {AddressOnly}", "80 or 80=address");
            OptionText.Require(ports.ContainsKey(port), Option, text, $"port {port} is not in {{{nameof(WhipAgentOptions.Ports)}}}", "one that is");
            OptionText.Require(proxied.TryAdd(port, hasNames), Option, text, $"port {port} is there already", "each port once");
        }

        return proxied;
    }

    private static NameGlob CheckDialer(string pattern) =>
        NameGlob.TryOfCertificate(pattern, out var glob, out var problem)
            ? glob
            : throw new WhipOptionException(nameof(WhipAgentOptions.AllowDialers), pattern, problem, "*.dialers");

    private static IReadOnlyList<HostPort> CheckEndpoints(IList<string> texts)
    {
        const string Example = "127.0.0.1:50051";
        OptionText.Require(texts.Count > 0, nameof(WhipAgentOptions.Endpoints), null, "required", Example);
        return [.. texts.Select(text => OptionText.EndPoint(nameof(WhipAgentOptions.Endpoints), text, Example, emptyHost: "127.0.0.1"))];
    }
}
