namespace Whip.Broker.Peers;

/// <summary>One caller's watch. It is told nothing once disposed, but for what is under way.</summary>
internal sealed class PeerWatch(Action<string> announced, Action<PeerWatch> remove) : IDisposable
{
    public void Announced(string brokerId) => announced(brokerId);

    public void Dispose() => remove(this);
}
