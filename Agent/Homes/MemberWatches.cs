using Whip.Protocol;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Agent.Homes;

/// <summary>Follows the addresses of the brokers in the latest list. One caller.</summary>
internal sealed class MemberWatches(AgentContext context, HostResolver resolve, TaskTracker tasks, Action changed)
{
    private const int MaxLogLength = 1000;

    private readonly Dictionary<(HostPort, BrokerClaim), (EndpointWatch Watch, CancellationTokenSource Stop)> _watches = [];
    private IReadOnlyList<ClusterMember> _members = [];

    public IEnumerable<HomeAddress> Addresses => _members.SelectMany(m => _watches[(m.Endpoint, m.Claim)].Watch.Addresses);

    /// <summary>Whether each has been looked up once.</summary>
    public bool AreKnown => _watches.Values.All(w => w.Watch.HasLooked);

    /// <summary>By broker id; empty where a broker has none.</summary>
    public IReadOnlyDictionary<string, string> Zones { get; private set; } = new Dictionary<string, string>();

    /// <summary>A broker that stays keeps the addresses known of it.</summary>
    public void Update(IReadOnlyList<ClusterMember> members)
    {
        if (members.SequenceEqual(_members))
        {
            return;
        }

        _members = members;
        Zones = members.ToDictionary(m => m.Claim.BrokerId, m => m.Zone);
        HomeLog.Members(context.Log, Printable.Clean(string.Join(", ", members), MaxLogLength));
        var wanted = members.Select(m => (m.Endpoint, m.Claim)).ToHashSet();
        foreach (var (gone, (_, stop)) in _watches.Where(w => !wanted.Contains(w.Key)).ToList())
        {
            _watches.Remove(gone);
            stop.Cancel();
            stop.Dispose();
        }

        foreach (var member in wanted.Where(m => !_watches.ContainsKey(m)))
        {
            Watch(member.Endpoint, member.Claim);
        }
    }

    public void Stop()
    {
        foreach (var (_, stop) in _watches.Values)
        {
            stop.Cancel();
            stop.Dispose();
        }
    }

    private void Watch(HostPort endpoint, BrokerClaim claim)
    {
        var stop = new CancellationTokenSource();
        var token = stop.Token;
        var watch = EndpointWatch.Of(endpoint, resolve, context, changed, claim);
        _watches[(endpoint, claim)] = (watch, stop);
        tasks.Run(() => watch.RunAsync(token));
    }
}
