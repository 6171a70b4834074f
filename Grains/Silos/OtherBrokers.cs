using Whip.Registry;

namespace Whip.Grains.Silos;

/// <summary>Asks the other brokers and the grains through the present silo of this broker.</summary>
internal sealed class OtherBrokers(MemberTable members, CurrentSilo current, TimeProvider time) : IOtherBrokers
{
    /// <summary>Longer than the activation of a grain that asks a silo without an answer.</summary>
    private static readonly TimeSpan FindTimeout = TimeSpan.FromSeconds(1);

    public IReadOnlyList<OtherBroker> All => members.Others;

    public async Task<bool> CanAskAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var change = current.WaitForChangeAsync(cancellationToken);
        if (current.Calls is null)
        {
            await change.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }

        return current.Calls is not null;
    }

    public async Task<NameReport?> LocateAsync(string brokerId, NameQuery query, CancellationToken cancellationToken)
    {
        var located = current.Calls is { } silo && members.SiloOf(brokerId) is { } address
            ? await silo.Brokers.LocateAsync(address, query).WaitAsync(cancellationToken)
            : null;
        return located is null ? null : new NameReport
        {
            IsInstance = located.Streams.Count > 0,
            Publishes = located.Publishes,
            IsDomain = located.IsDomain,
            Instances = located.Instances,
            InstancesInZone = located.InstancesInZone,
            Relays = located.Relays,
            KnowsParent = located.KnowsParent,
            FailingInstances = located.FailingInstances,
            Failing = [.. (located.Failing ?? []).Select(failing => new FailingInstance(failing.Name, new(failing.Check, failing.Reason, failing.Since)))],
        };
    }

    public async Task<KnownHolders?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (current.Calls is not { } silo)
        {
            return null;
        }

        try
        {
            // A single label can only be a domain.
            var holdings = InstanceName.TryParse(name, out _) ? await AskAsync(silo.Grains.GetGrain<IClientGrain>(name)) : [];
            if (holdings is { Count: 0 })
            {
                holdings = await AskAsync(silo.Grains.GetGrain<IDomainGrain>(name));
            }

            return holdings is null ? null : new KnownHolders(
                holdings.Any(holding => holding.Silo.Equals(silo.Address)), [.. holdings.Select(holding => members.BrokerOf(holding.Silo)).OfType<string>()]);
        }
        catch (Exception error) when (BrokerSilos.IsFailure(error))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }

        Task<IReadOnlyList<Holding>?> AskAsync(IHoldingGrain grain) => grain.FindAsync().WaitAsync(FindTimeout, time, cancellationToken);
    }

    public bool AreAll(IReadOnlyCollection<string> answered) => members.AreAll(answered);

    public void LeaveWord(string name)
    {
        if (current.Calls is not { } silo)
        {
            return;
        }

        if (InstanceName.TryParse(name, out _))
        {
            silo.Grains.GetGrain<IClientGrain>(name).LeaveWordAsync(silo.Address).Ignore();
        }

        silo.Grains.GetGrain<IDomainGrain>(name).LeaveWordAsync(silo.Address).Ignore();
    }
}
