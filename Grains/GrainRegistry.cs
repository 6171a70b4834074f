using Whip.Grains.Index;
using Whip.Registry;
using Whip.Registry.Peers;

namespace Whip.Grains;

/// <summary>
/// The engine in which every client is a virtual grain: a name that is not here is looked for at its grain, which knows the brokers
/// that hold it. What the grains do not know, or are too slow to tell, all brokers are asked, as without grains.
/// </summary>
internal sealed class GrainRegistry(PeerRegistry peers, Announcer announcer) : IClientRegistry
{
    public async ValueTask<IReadOnlyList<StreamRoute>> AnnounceAsync(StreamRoute route, CancellationToken cancellationToken)
    {
        var fenced = await peers.AnnounceAsync(route, cancellationToken);
        announcer.Changed(route.Name);
        return fenced;
    }

    public async ValueTask WithdrawAsync(StreamRoute route, CancellationToken cancellationToken)
    {
        await peers.WithdrawAsync(route, cancellationToken);
        announcer.Changed(route.Name);
    }

    public ValueTask<Resolution> ResolveAsync(ResolveRequest request, CancellationToken cancellationToken) => peers.ResolveAsync(request, cancellationToken);

    public void Forget(ResolveRequest request, string brokerId) => peers.Forget(request, brokerId);

    public IRouteWatch? Watch(string name) => peers.Watch(name);

    public ValueTask DisposeAsync() => peers.DisposeAsync();
}
