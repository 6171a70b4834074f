using Whip.Registry.Routes;

namespace Whip.Registry.Embedded;

/// <summary>The engine of one process: every stream is at this broker, and every answer is current.</summary>
internal sealed class EmbeddedRegistry(LocalRoutes local) : IClientRegistry
{
    public ValueTask<IReadOnlyList<StreamRoute>> AnnounceAsync(StreamRoute route, CancellationToken cancellationToken) => new(local.Add(route));

    public ValueTask WithdrawAsync(StreamRoute route, CancellationToken cancellationToken)
    {
        local.Remove(route);
        return ValueTask.CompletedTask;
    }

    public ValueTask<Resolution> ResolveAsync(ResolveRequest request, CancellationToken cancellationToken) => new(local.Resolve(request));

    public void Forget(ResolveRequest request, string brokerId)
    {
        // There is no other broker.
    }

    public IRouteWatch? Watch(string name) => local.Watch(name);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
