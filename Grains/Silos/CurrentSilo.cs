namespace Whip.Grains.Silos;

/// <summary>The active silo that this broker has at the moment, if any.</summary>
internal sealed class CurrentSilo
{
    private readonly ChangeSignal _changed = new();
    private volatile RunningSilo? _silo;

    /// <summary>Null: there is none now.</summary>
    public RunningSilo? Silo => _silo;

    /// <summary>The calls that go through it; null: there is none now.</summary>
    public SiloCalls? Calls => _silo?.Calls;

    /// <summary>Completes when this broker has another silo than at the time of the call, or none.</summary>
    public Task WaitForChangeAsync(CancellationToken cancellationToken) => _changed.Next.WaitAsync(cancellationToken);

    public void Replace(RunningSilo? silo)
    {
        _silo = silo;
        _changed.Raise();
    }
}
