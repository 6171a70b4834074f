namespace Whip.Registry.Peers;

/// <summary>A dial that waits for a name here and at every peer.</summary>
internal sealed class PeerWatch : IRouteWatch
{
    private readonly IRouteWatch _own;
    private readonly IDisposable _elsewhere;
    private readonly TaskCompletionSource _announced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PeerWatch(IRouteWatch own, IPeers peers, string name)
    {
        _own = own;
        _elsewhere = peers.Watch(name, _ => _announced.TrySetResult());
        Announced = Task.WhenAny(own.Announced, _announced.Task);
    }

    public Task Announced { get; }

    public void Dispose()
    {
        _elsewhere.Dispose();
        _own.Dispose();
    }
}
