using Whip.Registry.Membership;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Registry.Membership;

internal static class TestMembers
{
    /// <summary>A broker whose addresses are its own.</summary>
    public static BrokerMember Broker(string id) => new()
    {
        Id = id,
        ExternalGrpc = $"{id}.test:50051",
        ExternalTcp = $"{id}.test:8000",
        ExternalDial = $"{id}.test:8010",
        Zone = "z1",
    };

    public static async Task<T> JoinedAsync<T>(this T membership)
        where T : IClusterMembership
    {
        await membership.JoinAsync(CancellationToken.None).WaitAsync(Patience.Long);
        return membership;
    }

    public static BrokerMember? Find(this IClusterMembership membership, string id) => membership.Members.FirstOrDefault(m => m.Id == id);

    /// <summary>Waits until the members are these: <c>a b? c!</c> for a live, a suspect and a draining one.</summary>
    public static async Task SeesAsync(this IClusterMembership membership, string members)
    {
        using var deadline = new CancellationTokenSource(Patience.Long);
        while (true)
        {
            var seen = membership.Members;
            var text = Text(seen);
            if (text == members)
            {
                return;
            }

            try
            {
                await membership.WaitForChangeAsync(seen, deadline.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"waited for the members {members}, but they are {text}");
            }
        }
    }

    public static string Text(IReadOnlyList<BrokerMember> members) =>
        string.Join(' ', members.Select(m => $"{m.Id}{(m.IsSuspect ? "?" : "")}{(m.IsDraining ? "!" : "")}"));
}
