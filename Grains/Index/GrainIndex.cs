using Whip.Grains.Silo;
using Whip.Protocol.Names;
using Whip.Registry.Peers;

namespace Whip.Grains.Index;

/// <summary>Finds the holders of a name through its grain: of the client, else of the domain.</summary>
internal sealed class GrainIndex(CurrentSilo current) : IHolderIndex
{
    /// <summary>More than a grain takes that has to be made, and asks a silo that does not answer.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    public async Task<KnownHolders?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (current.Calls is not { } silo)
        {
            return null;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Timeout);
        try
        {
            // A single label is a domain: there is no client of that name.
            var clients = InstanceName.TryParse(name, out _) ? await silo.Grains.GetGrain<IClientGrain>(name).FindAsync(limit.Token).WaitAsync(limit.Token) : [];
            if (clients.Count > 0)
            {
                return Known(silo, clients);
            }

            var instances = await silo.Grains.GetGrain<IDomainGrain>(name).FindAsync(limit.Token).WaitAsync(limit.Token);
            return instances is null ? null : Known(silo, instances);
        }
        catch (Exception error) when (SiloFailure.IsExpected(error))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    private static KnownHolders Known(SiloCalls silo, IEnumerable<IHolding> holdings)
    {
        var byPlace = holdings.ToLookup(holding => holding.Silo.Equals(silo.Address), holding => holding.BrokerId);
        return new KnownHolders(byPlace[true].Any(), [.. byPlace[false]]);
    }
}
