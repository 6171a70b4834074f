using Whip.Grains.Index;
using Whip.Grains.Members;
using Whip.Protocol.Names;
using Whip.Registry.Holders;

namespace Whip.Grains.Silos;

/// <summary>Asks the other brokers and the grains through the silo that this broker has at the moment.</summary>
internal sealed class OtherBrokers(MemberTable members, CurrentSilo current, TimeProvider time) : IOtherBrokers
{
    /// <summary>More than a grain takes that has to be made, and asks a silo that does not answer.</summary>
    private static readonly TimeSpan FindTimeout = TimeSpan.FromSeconds(1);

    public IReadOnlyList<OtherBroker> All => members.Others;

    public async Task<bool> CanAskAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var change = current.WaitForChangeAsync(cancellationToken);
        if (current.Calls is null)
        {
            await change.WaitAsync(patience, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
            // A single label is a domain: there is no client of that name.
            var holdings = InstanceName.TryParse(name, out _) ? await silo.Grains.GetGrain<IClientGrain>(name).FindAsync().WaitAsync(FindTimeout, time, cancellationToken) : [];
            if (holdings is { Count: 0 })
            {
                holdings = await silo.Grains.GetGrain<IDomainGrain>(name).FindAsync().WaitAsync(FindTimeout, time, cancellationToken);
            }

            return holdings is null ? null : new KnownHolders(
                holdings.Any(holding => holding.Silo.Equals(silo.Address)), [.. holdings.Select(holding => members.BrokerOf(holding.Silo)).OfType<string>()]);
        }
        catch (Exception error) when (BrokerSilos.IsFailure(error))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
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
