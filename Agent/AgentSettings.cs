using System.IO.Enumeration;
using Whip.Agent.Homes;
using Whip.Hosting;
using Whip.Protocol.Names;
using Whip.Protocol.Options;

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
    /// <exception cref="WhipOptionException">The first option that cannot work.</exception>
    public static AgentSettings Check(WhipAgentOptions options)
    {
        OptionText.Require(DnsName.IsLabel(options.Hostname), nameof(options.Hostname), options.Hostname, "not a DNS label", "instance1");
        OptionText.Require(options.Domain.Length > 0, nameof(options.Domain), null, "required", "testdom");
        OptionText.Require(
            InstanceName.TryCreate(options.Hostname, options.Domain, out var name), nameof(options.Domain), options.Domain, "not a DNS name", "testdom");
        OptionText.Require(options.Ports.Count > 0, nameof(options.Ports), null, "required", "5051");
        foreach (var port in options.Ports)
        {
            OptionText.Number(nameof(options.Ports), $"{port}", 1, 65535);
        }

        var distinct = options.Ports.Distinct().Count();
        OptionText.Require(distinct <= MaxPorts, nameof(options.Ports), $"{distinct} ports", "too many", $"up to {MaxPorts}");
        OptionText.Require(
            HostName.IsValid(options.TargetHost), nameof(options.TargetHost), options.TargetHost, "not a host name or address", "127.0.0.1");
        OptionText.Require(options.Homes > 0, nameof(options.Homes), $"{options.Homes}", "not a number of homes", "2 or all");
        OptionText.Duration(nameof(options.DrainTimeout), options.DrainTimeout);
        return new AgentSettings(options, name, CheckEndpoints(options.Endpoints));
    }

    /// <summary>Whether a dialer with these verified names may connect.</summary>
    public bool AllowsDialer(IEnumerable<string> names) =>
        _allowDialers.Length == 0 || names.Any(n => _allowDialers.Any(p => FileSystemName.MatchesSimpleExpression(p, n)));

    private static List<BrokerEndpoint> CheckEndpoints(IList<string> texts)
    {
        OptionText.Require(texts.Count > 0, nameof(WhipAgentOptions.Endpoints), null, "required", "127.0.0.1:50051");
        var endpoints = new List<BrokerEndpoint>();
        foreach (var text in texts)
        {
            OptionText.Require(BrokerEndpoint.TryParse(text, out var endpoint), nameof(WhipAgentOptions.Endpoints), text, "not a HOST:PORT", "127.0.0.1:50051");
            endpoints.Add(endpoint);
        }

        return endpoints;
    }
}
