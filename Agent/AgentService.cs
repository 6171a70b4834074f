using Microsoft.Extensions.Hosting;

namespace Whip.Agent;

/// <summary>Ties the agents of a Generic Host to its life.</summary>
internal sealed class AgentService(IEnumerable<WhipAgent> agents) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.WhenAll(agents.Select(a => a.StartAsync(cancellationToken)));

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(agents.Select(a => a.StopAsync(cancellationToken)));
}
