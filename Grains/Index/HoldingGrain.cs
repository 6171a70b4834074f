using Whip.Grains.Silo;

namespace Whip.Grains.Index;

/// <summary>
/// The part that the grains of clients and of domains share: what silos announced, and the questions to all silos of a grain that was
/// made anew, for its memory may have gone with a silo while every stream stands.
/// </summary>
internal abstract class HoldingGrain<T>(ISiloStatusOracle silos, BrokerSilos brokers) : Grain
    where T : class, IHolding
{
    private readonly Holdings<T> _holdings = new(silos);
    private Task? _asking;

    /// <summary>Every silo has answered: what changed since was announced.</summary>
    protected bool IsWhole { get; private set; }

    public Task AnnounceAsync(T holding, CancellationToken cancellationToken)
    {
        _holdings.Add(holding);
        return Task.CompletedTask;
    }

    /// <summary>What is known; a grain that knows of nobody is forgotten, and one that comes back asks again.</summary>
    protected IReadOnlyList<T> Known()
    {
        var known = _holdings.Live();
        if (known.Count == 0 && _asking is { IsCompleted: true })
        {
            DeactivateOnIdle();
        }

        return known;
    }

    /// <summary>Asks every silo, again until all of them have answered; who comes meanwhile waits for the same answers.</summary>
    protected Task AskAllAsync()
    {
        if (_asking is null || (_asking.IsCompleted && !IsWhole))
        {
            _asking = AskEachAsync();
        }

        return _asking;
    }

    /// <summary>Asks one silo what it holds of this grain's name.</summary>
    protected abstract Task<T> AskAsync(IBrokerSilo silo, CancellationToken cancellationToken);

    private async Task AskEachAsync() => IsWhole = await brokers.AskAllAsync(AskAsync, _holdings.Add);
}
