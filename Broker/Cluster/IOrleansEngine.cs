using Microsoft.AspNetCore.Http;
using Whip.Hosting.Programs;
using Whip.Registry;
using Whip.Registry.Peers;

namespace Whip.Broker.Cluster;

/// <summary>What <c>--cluster orleans</c> has besides: the broker is a silo, and names are found through grains.</summary>
internal interface IOrleansEngine : IAsyncDisposable
{
    IHolderIndex Index { get; }

    IReadOnlyList<BoundAddress> BoundAddresses { get; }

    /// <summary>The ids of the brokers that are silos, as this one's silo sees them; empty while it is none.</summary>
    IReadOnlyList<string> Silos { get; }

    /// <summary>The pages of the Orleans Dashboard, under <c>/dashboard</c>; null while there is no silo.</summary>
    RequestDelegate? Dashboard { get; }

    IClientRegistry CreateRegistry(PeerRegistry peers);

    /// <summary>Becomes a silo, or goes on trying in the background when that takes too long.</summary>
    Task StartAsync(CancellationToken cancellationToken);
}
