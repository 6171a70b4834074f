using Orleans.Concurrency;
using Orleans.Services;

namespace Whip.Grains.Silos;

/// <summary>
/// What one silo answers about its own broker. Calls are addressed to the silo, without the grain directory. Every caller has a shorter time limit of
/// its own; the limits here only release abandoned calls, which Orleans would keep for 30 seconds.
/// </summary>
[Alias("whip.broker-silo")]
internal interface IBrokerSilo : IGrainService
{
    /// <summary>Takes the facts of the calling broker, and answers with those of its own.</summary>
    [Alias("ping")]
    [ResponseTimeout("00:00:02")]
    Task<BrokerFacts> PingAsync(BrokerFacts from);

    /// <summary>What it holds of a name now.</summary>
    [Alias("locate")]
    [ResponseTimeout("00:00:01")]
    Task<Located> LocateAsync(string name, int port, string zone);

    /// <summary>A name has been registered for which a dial waits at this broker.</summary>
    [Alias("announced")]
    [OneWay]
    Task AnnouncedAsync(string name);
}
