namespace Whip.Grains.Index;

/// <summary>
/// What the grains of clients and of domains have in common: which silos hold the name. A grain that has just been activated asks all silos,
/// because its state may have been lost with a silo while every stream goes on.
/// </summary>
internal abstract class HoldingGrain(ISiloStatusOracle silos, BrokerSilos brokers, [FromKeyedServices(HoldingGrain.Clock)] TimeProvider time)
    : Grain, IHoldingGrain
{
    /// <summary>The key of the broker's clock; Orleans has its own.</summary>
    public const string Clock = "whip";

    /// <summary>In case a push was lost.</summary>
    private static readonly TimeSpan AskInterval = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan WordLife = TimeSpan.FromSeconds(5);

    private readonly Dictionary<SiloAddress, Holding> _bySilo = [];
    private readonly Dictionary<SiloAddress, long> _words = [];
    private readonly HashSet<SiloAddress> _answered = [];
    private Task _asking = Task.CompletedTask;
    private long _askedAt;

    /// <summary>Every silo of the present view has answered; later changes are pushed.</summary>
    protected bool IsWhole => silos.GetActiveSilos().All(_answered.Contains);

    public Task UpdateAsync(Holding holding)
    {
        if (Learn(holding) && holding.IsHeld)
        {
            Waiting().ForEach(Wake);
        }

        return Task.CompletedTask;
    }

    public async Task<IReadOnlyList<Holding>?> FindAsync()
    {
        await AskIfDueAsync();
        var held = Held();
        if (held.Count == 0 && Waiting().Count == 0)
        {
            // Nothing is known, so that nothing is lost: the next activation asks again.
            DeactivateOnIdle();
        }

        return Answer(held);
    }

    public Task LeaveWordAsync(SiloAddress silo)
    {
        _words[silo] = time.GetTimestamp();
        if (Held().Count > 0)
        {
            Wake(silo);
        }

        return Task.CompletedTask;
    }

    protected abstract bool IsHeld(Located located);

    protected abstract IReadOnlyList<Holding>? Answer(IReadOnlyList<Holding> held);

    private IReadOnlyList<Holding> Held()
    {
        var active = silos.GetActiveSilos();
        return [.. _bySilo.Values.Where(holding => holding.IsHeld && active.Contains(holding.Silo))];
    }

    private async Task AskIfDueAsync()
    {
        // A round that is under way may have begun with other silos.
        await _asking;
        if (!IsWhole)
        {
            await Ask();
        }
        else if (time.GetElapsedTime(_askedAt) >= AskInterval)
        {
            _ = Ask();
        }
    }

    private Task Ask() => _asking = _asking.IsCompleted ? AskAllAsync() : _asking;

    private async Task AskAllAsync()
    {
        _askedAt = time.GetTimestamp();
        Forget();
        await brokers.AskAllAsync(this.GetPrimaryKeyString(), (silo, located) =>
        {
            _answered.Add(silo);
            Learn(new Holding { Silo = silo, Version = located.Version, IsHeld = IsHeld(located), Streams = located.Streams });
        });
    }

    /// <summary>A silo that holds nothing any more stays known, so that an older holding that arrives late is ignored.</summary>
    private bool Learn(Holding holding)
    {
        var isNew = !_bySilo.TryGetValue(holding.Silo, out var known) || known.Version < holding.Version;
        if (isNew)
        {
            _bySilo[holding.Silo] = holding;
        }

        return isNew;
    }

    private void Forget()
    {
        var active = silos.GetActiveSilos();
        foreach (var gone in _bySilo.Keys.Union(_answered).Except(active).ToList())
        {
            _bySilo.Remove(gone);
            _answered.Remove(gone);
        }
    }

    private void Wake(SiloAddress silo) => brokers.At(silo).AnnouncedAsync(this.GetPrimaryKeyString()).Ignore();

    private List<SiloAddress> Waiting()
    {
        foreach (var (silo, leftAt) in _words)
        {
            if (time.GetElapsedTime(leftAt) >= WordLife)
            {
                _words.Remove(silo);
            }
        }

        return [.. _words.Keys];
    }
}
