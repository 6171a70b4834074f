using Microsoft.Extensions.DependencyInjection;
using Whip.Grains.Silos;

namespace Whip.Grains.Index;

/// <summary>
/// The part that the grains of clients and of domains share: what the silos hold, and the questions to all of them of a grain that was made
/// anew, for its memory may have gone with a silo while every stream stands.
/// </summary>
internal abstract class HoldingGrain(ISiloStatusOracle silos, BrokerSilos brokers, [FromKeyedServices(HoldingGrain.Clock)] TimeProvider time) : Grain, IHoldingGrain
{
    /// <summary>The key of the broker's clock, which need not be that of Orleans.</summary>
    public const string Clock = "whip";

    /// <summary>For a push that never came: none is lost that anybody knows of.</summary>
    private static readonly TimeSpan AskInterval = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan WordLife = TimeSpan.FromSeconds(5);

    private readonly Dictionary<SiloAddress, Holding> _bySilo = [];
    private readonly Dictionary<SiloAddress, long> _words = [];
    private readonly HashSet<SiloAddress> _answered = [];
    private Task _asking = Task.CompletedTask;
    private long _askedAt;

    /// <summary>Every silo of the present view has answered: what changed since was pushed.</summary>
    protected bool IsWhole => silos.GetActiveSilos().All(_answered.Contains);

    public Task UpdateAsync(Holding holding)
    {
        if (Learn(holding) && holding.IsHeld)
        {
            Waiting().ForEach(Tell);
        }

        return Task.CompletedTask;
    }

    public async Task<IReadOnlyList<Holding>?> FindAsync()
    {
        await AskIfDueAsync();
        var held = Held();
        if (held.Count == 0 && Waiting().Count == 0)
        {
            // A grain that knows of nobody is forgotten, and one that comes back asks again.
            DeactivateOnIdle();
        }

        return Answer(held);
    }

    public Task LeaveWordAsync(SiloAddress silo)
    {
        _words[silo] = time.GetTimestamp();
        if (Held().Count > 0)
        {
            Tell(silo);
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
        // One that is under way may have begun before the silos were these.
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

    /// <summary>A silo that has let go stays known until it is gone: what it said before may still be under way.</summary>
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

    private void Tell(SiloAddress silo) => brokers.At(silo).AnnouncedAsync(this.GetPrimaryKeyString()).Ignore();

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
