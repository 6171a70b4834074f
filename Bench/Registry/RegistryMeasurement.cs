using System.Net;
using Whip.Bench.Measuring;
using Whip.Broker.ControlStreams;
using Whip.Protocol.Names;
using Whip.Registry;
using Whip.Registry.Routes;

namespace Whip.Bench.Registry;

/// <summary>What a stream costs its holder without its connection, and the time to find one there.</summary>
internal static class RegistryMeasurement
{
    private const int Repeats = 200_000;

    public static async Task RunAsync(int streams, FigureWriter figures, CancellationToken cancellationToken)
    {
        var registry = new LocalRoutes(maxWatchesPerName: 256);
        var live = new LiveStreams();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < streams; i++)
        {
            var route = SiloCluster.Route(i);
            live.Add(new AgentStream(route, new IPEndPoint(IPAddress.Loopback, 1 + (i % 65535)), isOurs: true, maxPending: 256, TimeProvider.System));
            registry.Attach(route);
        }

        var seconds = watch.Elapsed.TotalSeconds;
        var after = GC.GetTotalMemory(forceFullCollection: true);
        await figures.WriteAsync("stream-memory", (double)(after - before) / streams, "B", seconds, ("streams", streams));

        // The names are made before the clock starts.
        var names = Enumerable.Range(0, Repeats).Select(i => SiloCluster.Route(i % streams).Name.FullName).ToArray();
        watch.Restart();
        foreach (var name in names)
        {
            if ((await registry.ResolveAsync(new ResolveRequest(DialTarget.Of(name, SiloCluster.Port), []), cancellationToken)).Status != ResolveStatus.Found)
            {
                throw new InvalidOperationException($"{name} was not found");
            }
        }

        await figures.WriteAsync("resolve-local", watch.Elapsed.TotalNanoseconds / Repeats, "ns", watch.Elapsed.TotalSeconds, ("streams", streams));
        GC.KeepAlive(live);
    }
}
