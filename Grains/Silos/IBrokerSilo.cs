using Orleans.Concurrency;
using Orleans.Services;
using Whip.Grains.Index;
using Whip.Grains.Members;

namespace Whip.Grains.Silos;

/// <summary>
/// What one silo answers about its own broker; addressed by the silo, never through the directory. Every caller has a shorter limit of its
/// own: those here let go of calls that nobody waits for any more, which Orleans would keep for 30 seconds.
/// </summary>
[Alias("whip.broker-silo")]
internal interface IBrokerSilo : IGrainService
{
    /// <summary>Tells what the caller says of itself, and answers with the same of its own broker.</summary>
    [Alias("ping")]
    [ResponseTimeout("00:00:02")]
    Task<BrokerFacts> PingAsync(BrokerFacts from);

    /// <summary>What it holds under a name now.</summary>
    [Alias("locate")]
    [ResponseTimeout("00:00:01")]
    Task<Located> LocateAsync(string name, int port, string zone);

    /// <summary>Somebody has registered a name that a dial waits for at this broker.</summary>
    [Alias("announced")]
    [OneWay]
    Task AnnouncedAsync(string name);
}
