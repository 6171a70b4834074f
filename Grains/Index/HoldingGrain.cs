using Whip.Grains.Silo;

namespace Whip.Grains.Index;

/// <summary>
/// The part that the grains of clients and of domains share: what silos announced, and the questions to all silos of a grain that was
/// made anew and knows nothing, for its memory may have gone with a silo while every stream stands.
/// </summary>
internal abstract class HoldingGrain<T>(ISiloStatusOracle silos, BrokerSilos brokers) : Grain
    where T : class, IHolding
{
    private readonly Holdings<T> _holdings = new(silos);
    private Task? _asked;

    public Task AnnounceAsync(T holding, CancellationToken cancellationToken)
    {
        _holdings.Add(holding);
        return Task.CompletedTask;
    }

    public async Task<IReadOnlyList<T>> FindAsync(CancellationToken cancellationToken)
    {
        if (_holdings.Live() is { Count: > 0 } known)
        {
            return known;
        }

        _asked ??= AskAllAsync();
        await _asked.WaitAsync(cancellationToken);
        var found = _holdings.Live();
        if (found.Count == 0)
        {
            // A name that nobody has need not be remembered; one that comes back finds a grain that asks again.
            DeactivateOnIdle();
        }

        return found;
    }

    /// <summary>Asks one silo what it holds of this grain's name.</summary>
    protected abstract Task<T> AskAsync(IBrokerSilo silo, CancellationToken cancellationToken);

    private async Task AskAllAsync()
    {
        await foreach (var answer in brokers.AskAllAsync(AskAsync))
        {
            _holdings.Add(answer);
        }
    }
}
