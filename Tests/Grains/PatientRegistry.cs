using Whip.Registry;

namespace Whip.Tests.Grains;

/// <summary>A registry that asks again where the others, on a busy machine, did not answer in their half second.</summary>
internal sealed class PatientRegistry(IClientRegistry registry) : IClientRegistry
{
    public IReadOnlyList<StreamRoute> Attach(StreamRoute route) => registry.Attach(route);

    public void Update(StreamRoute route) => registry.Update(route);

    public void Detach(StreamRoute route) => registry.Detach(route);

    public async ValueTask<Resolution> ResolveAsync(ResolveRequest request, CancellationToken cancellationToken)
    {
        var resolution = default(Resolution);
        await Patience.UntilAsync(
            async () => (resolution = await registry.ResolveAsync(request, cancellationToken)).Status != ResolveStatus.Unanswered,
            $"an answer about {request.Target.Name}");
        return resolution;
    }

    public void Forget(ResolveRequest request, string brokerId) => registry.Forget(request, brokerId);

    public IRouteWatch? Watch(string name) => registry.Watch(name);
}
