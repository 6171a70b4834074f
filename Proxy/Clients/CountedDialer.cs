using Whip.Hosting.Listening;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;

namespace Whip.Proxy.Clients;

/// <summary>Dials as far as there are descriptors: one for each dial, from its begin until its leg is closed.</summary>
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

        Leg? leg = null;
        try
        {
            var result = await inner.TryDialAsync(request, cancellationToken);
            leg = result.Leg;
            return result;
        }
        finally
        {
            if (leg is null)
            {
                descriptors.Return();
            }
            else
            {
                leg.OnClosed(() => descriptors.Return());
            }
        }
    }
}
