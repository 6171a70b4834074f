using Orleans.Concurrency;

namespace Whip.Grains.Silos;

/// <summary>Answers for the broker of this silo.</summary>
[Reentrant]
internal sealed class BrokerSilo(GrainId grainId, Silo silo, ILoggerFactory loggers, OwnHoldings own, LocalRoutes local, MemberTable members)
    : GrainService(grainId, silo, loggers), IBrokerSilo
{
    public Task<BrokerFacts> PingAsync(BrokerFacts from)
    {
        members.Heard(from);
        return Task.FromResult(members.Self());
    }

    public Task<Located> LocateAsync(string name, int port, string zone) => Task.FromResult(own.Locate(new NameQuery(name, port, zone)));

    public Task AnnouncedAsync(string name)
    {
        local.Wake(name);
        return Task.CompletedTask;
    }
}
