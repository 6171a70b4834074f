using Orleans.Runtime.Services;

namespace Whip.Grains.Silos;

/// <summary>Calls the grain service of every silo from one silo.</summary>
internal sealed class BrokerSilos(
    IServiceProvider services, ISiloStatusOracle silos, MemberTable members, [FromKeyedServices(HoldingGrain.Clock)] TimeProvider time)
    : GrainServiceClient<IBrokerSilo>(services), ISiloWitness
{
    /// <summary>Many times what a healthy silo needs.</summary>
    private static readonly TimeSpan LocateTimeout = TimeSpan.FromMilliseconds(500);

    /// <summary>The exceptions of calls to a silo that has gone, is late, stops or is being replaced.</summary>
    public static bool IsFailure(Exception error) => error is OrleansException or TimeoutException or OperationCanceledException or ObjectDisposedException;

    public IBrokerSilo At(SiloAddress silo) => GetGrainService(silo);

    /// <summary>Uses the answers to pings; if none is recent, asks the others once more.</summary>
    public async Task<bool> IsListedAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        if (members.IsListed())
        {
            return true;
        }

        var questions = silos.GetActiveSilos().Where(other => !other.Equals(silo)).Select(AskAsync).ToList();
        await foreach (var isListed in Task.WhenEach(questions).WithCancellation(cancellationToken))
        {
            if (await isListed)
            {
                return true;
            }
        }

        return false;

        async Task<bool> AskAsync(SiloAddress other)
        {
            try
            {
                return (await At(other).PingAsync(members.Self()).WaitAsync(SiloPings.AnswerTimeout, time, cancellationToken)).ActiveSilos.Contains(silo);
            }
            catch (Exception error) when (IsFailure(error))
            {
                return false;
            }
        }
    }

    /// <summary>Asks one silo what it holds of a name. Null: it did not answer in time.</summary>
    public async Task<Located?> LocateAsync(SiloAddress silo, NameQuery query)
    {
        try
        {
            return await At(silo).LocateAsync(query.Name, query.Port, query.Zone).WaitAsync(LocateTimeout, time);
        }
        catch (Exception error) when (IsFailure(error))
        {
            return null;
        }
    }

    /// <summary>Asks every active silo at once, and passes the answers on as they come. It waits for those that are not suspect.</summary>
    public async Task AskAllAsync(string name, Action<SiloAddress, Located> answered)
    {
        var questions = silos.GetActiveSilos().ToLookup(members.IsSuspect, AskAsync);
        await Task.WhenAll(questions[false]);

        async Task AskAsync(SiloAddress silo)
        {
            if (await LocateAsync(silo, new NameQuery(name, Port: 0)) is { } located)
            {
                answered(silo, located);
            }
        }
    }
}
