using Whip.Hosting.Listening;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;

namespace Whip.Proxy.Clients;

/// <summary>
/// Dials as far as there are descriptors: one for each dial, from its begin until its leg is closed, or is kept and counted as such.
/// </summary>
internal sealed class CountedDialer(IWhipDialer inner, DescriptorBudget descriptors) : IWhipDialer
{
    private const string Name = "upstream";

    public async ValueTask<DialResult> TryDialAsync(DialRequest request, CancellationToken cancellationToken = default)
    {
        if (!descriptors.TryTake())
        {
            descriptors.CountRefusal(Name);
            return DialResult.Failed(DialOutcome.Overloaded, $"all {descriptors.Size} descriptors that connections may take here are in use");
        }

        WhipStream? stream = null;
        try
        {
            var result = await inner.TryDialAsync(request, cancellationToken);
            stream = result.Stream;
            return result;
        }
        finally
        {
            if (stream is null)
            {
                descriptors.Return();
            }

            stream?.OnReleased(() => descriptors.Return());
        }
    }
}
