using System.IO.Enumeration;
using Whip.Agent.Homes;
using Whip.Hosting;
using Whip.Protocol.Names;

namespace Whip.Agent;

/// <summary>The options, checked and in the form the agent works with.</summary>
internal sealed class AgentSettings
{
    private const int MaxPorts = 64;

    private readonly string[] _allowDialers;

    private AgentSettings(WhipAgentOptions options, InstanceName name, IReadOnlyList<BrokerEndpoint> endpoints)
    {
        Name = name;
        Endpoints = endpoints;
        Ports = [.. options.Ports.Distinct()];
        TargetHost = options.TargetHost;
        Homes = options.Homes;
        Zone = options.Zone;
        DrainTimeout = options.DrainTimeout;
        Limits = options.Limits;
        _allowDialers = [.. options.AllowDialers];
    }

    public InstanceName Name { get; }

    public IReadOnlyList<BrokerEndpoint> Endpoints { get; }

    public IReadOnlyList<int> Ports { get; }

    public string TargetHost { get; }

    public int Homes { get; }

    public string Zone { get; }

    public TimeSpan DrainTimeout { get; }

    public WhipLimits Limits { get; }

    /// <summary>Checks everything before anything starts.</summary>
    /// <exception cref="AgentOptionException">Names the option, its value, what is wrong with it and what to try.</exception>
    public static AgentSettings Check(WhipAgentOptions options)
    {
        Require(DnsName.IsLabel(options.Hostname), nameof(options.Hostname), options.Hostname, "not a DNS label", "instance1");
        Require(options.Domain.Length > 0, nameof(options.Domain), "", "required", "testdom");
        Require(
            InstanceName.TryCreate(options.Hostname, options.Domain, out var name), nameof(options.Domain), options.Domain, "not a DNS name", "testdom");
        Require(options.Ports.Count > 0, nameof(options.Ports), "", "required", "5051");
        foreach (var port in options.Ports)
        {
            Require(port is > 0 and <= 65535, nameof(options.Ports), $"{port}", "not a port", "1 to 65535");
        }

        var distinct = options.Ports.Distinct().Count();
        Require(distinct <= MaxPorts, nameof(options.Ports), $"{distinct} ports", "too many", $"up to {MaxPorts}");
        Require(
            HostName.IsValid(options.TargetHost), nameof(options.TargetHost), options.TargetHost, "not a host name or address", "127.0.0.1");
        Require(options.Homes > 0, nameof(options.Homes), $"{options.Homes}", "not a number of homes", "2 or all");
        Require(
            options.DrainTimeout >= TimeSpan.Zero, nameof(options.DrainTimeout), $"{options.DrainTimeout}", "negative", "30s");
        return new AgentSettings(options, name, CheckEndpoints(options.Endpoints));
    }

    /// <summary>Whether a dialer with these verified names may connect.</summary>
    public bool AllowsDialer(IEnumerable<string> names) =>
        _allowDialers.Length == 0 || names.Any(n => _allowDialers.Any(p => FileSystemName.MatchesSimpleExpression(p, n)));

    private static List<BrokerEndpoint> CheckEndpoints(IList<string> texts)
    {
        Require(texts.Count > 0, nameof(WhipAgentOptions.Endpoints), "", "required", "127.0.0.1:50051");
        var endpoints = new List<BrokerEndpoint>();
        foreach (var text in texts)
        {
            Require(BrokerEndpoint.TryParse(text, out var endpoint), nameof(WhipAgentOptions.Endpoints), text, "not a HOST:PORT", "127.0.0.1:50051");
            endpoints.Add(endpoint);
        }

        return endpoints;
    }

    private static void Require(bool isMet, string option, string value, string problem, string hint)
    {
        if (!isMet)
        {
            throw new AgentOptionException(option, value, problem, hint);
        }
    }
}
