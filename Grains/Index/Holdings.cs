namespace Whip.Grains.Index;

/// <summary>
/// What the silos have said of one name. Owner: the grain, one turn at a time. The end of a silo is seen when its holding is next
/// looked at, so it costs nothing in a million grains.
/// </summary>
internal sealed class Holdings<T>(ISiloStatusOracle silos)
    where T : class, IHolding
{
    private readonly Dictionary<SiloAddress, T> _bySilo = [];

    /// <summary>A silo that has let go stays known until it dies: what it said before may still be under way.</summary>
    public void Add(T holding)
    {
        if (!silos.IsDeadSilo(holding.Silo) && (!_bySilo.TryGetValue(holding.Silo, out var known) || known.Version < holding.Version))
        {
            _bySilo[holding.Silo] = holding;
        }
    }

    public IReadOnlyList<T> Live()
    {
        var live = new List<T>(_bySilo.Count);
        foreach (var (silo, holding) in _bySilo)
        {
            if (silos.IsDeadSilo(silo))
            {
                _bySilo.Remove(silo);
            }
            else if (holding.IsHeld)
            {
                live.Add(holding);
            }
        }

        return live;
    }
}
