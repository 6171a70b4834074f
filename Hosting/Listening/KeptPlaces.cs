using Whip.Protocol.Kept;

namespace Whip.Hosting.Listening;

/// <summary>The idle connections that a program has made, in its budget: none displaces another connection, and they are the first to go.</summary>
internal sealed class KeptPlaces(DescriptorBudget descriptors) : IKeptPlaces
{
    private readonly UnauthenticatedGate _gate = new(int.MaxValue, descriptors, SpareKind.Kept);

    IKeptPlace? IKeptPlaces.TryEnter(KeptConnection connection, Action end) => TryEnter(end);

    public IKeptPlace? TryEnter(Action end)
    {
        if (!descriptors.TryTakeSpare())
        {
            return null;
        }

        var entry = _gate.Enter(() =>
        {
            end();
            descriptors.Return();
        });
        return new Place(entry, descriptors);
    }

    private sealed class Place(UnauthenticatedGate.Entry entry, DescriptorBudget descriptors) : IKeptPlace
    {
        public bool Leave()
        {
            var isOurs = entry.Leave();
            if (isOurs)
            {
                descriptors.Return();
            }

            return isOurs;
        }
    }
}
