using Whip.Registry.Routes;

namespace Whip.Registry;

/// <summary>The engine of one process: every stream is at this broker, and every answer is current.</summary>
internal sealed class EmbeddedRegistry(LocalRoutes local) : IClientRegistry
{
    public IReadOnlyList<StreamRoute> Attach(StreamRoute route) => local.Add(route);

    public void Detach(StreamRoute route) => local.Remove(route);

    public ValueTask<Resolution> ResolveAsync(ResolveRequest request, CancellationToken cancellationToken) => new(local.Resolve(request));

    public void Forget(ResolveRequest request, string brokerId)
    {
        // There is no other broker.
    }

    public IRouteWatch? Watch(string name) => local.Watch(name);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
