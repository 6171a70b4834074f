using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Broker.Peers;
using Whip.Hosting.Metrics;
using Whip.Registry.Peers;

namespace Whip.Bench.Registry;

/// <summary>Brokers of this process over real links, seen from the first of them, the ingress.</summary>
internal sealed class SimulatedCluster : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<SimulatedBroker> _brokers = [];
    private Task _linking = Task.CompletedTask;

    public IReadOnlyList<SimulatedBroker> Brokers => _brokers;

    public PeerRegistry Registry { get; private set; } = null!;

    public static async Task<SimulatedCluster> StartAsync(int brokers, CancellationToken cancellationToken)
    {
        var cluster = new SimulatedCluster();
        for (var i = 0; i < brokers; i++)
        {
            cluster._brokers.Add(await SimulatedBroker.StartAsync(string.Create(CultureInfo.InvariantCulture, $"broker{i}"), cancellationToken));
        }

        var ingress = cluster._brokers[0];
        var links = new PeerLinks(ingress.Credentials, new MetricFactory(), NullLogger.Instance, TimeProvider.System);
        cluster._linking = links.RunAsync(new StaticMembership([.. cluster._brokers.Select(broker => broker.Member)]), cluster._stop.Token);
        while (links.All.Count(peer => peer.IsLinked) < brokers - 1)
        {
            await Task.Delay(10, cancellationToken);
        }

        cluster.Registry = new PeerRegistry(ingress.Routes, links, index: null, TimeProvider.System);
        return cluster;
    }

    public async ValueTask DisposeAsync()
    {
        await Registry.DisposeAsync();
        await _stop.CancelAsync();
        await _linking;
        foreach (var broker in _brokers)
        {
            await broker.DisposeAsync();
        }

        _stop.Dispose();
    }
}
