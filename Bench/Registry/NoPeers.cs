using Whip.Registry.Peers;

namespace Whip.Bench.Registry;

/// <summary>Brokers without links: what is found is found through grains.</summary>
internal sealed class NoPeers : IPeers, IDisposable
{
    public IReadOnlyList<Peer> All => [];

    public Task<NameReport?> LookupAsync(string brokerId, NameQuery query, CancellationToken cancellationToken) => Task.FromResult<NameReport?>(null);

    public IDisposable Watch(string name, Action<string> announced) => this;

    public void Dispose()
    {
        // There is nothing to end.
    }
}
