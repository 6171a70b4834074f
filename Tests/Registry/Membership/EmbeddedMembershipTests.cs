using Whip.Registry.Embedded;
using Whip.Registry.Membership;

namespace Whip.Tests.Registry.Membership;

public sealed class EmbeddedMembershipTests : MembershipContractTests
{
    private protected override Task<IClusterMembership> CreateAsync(BrokerMember self) =>
        Task.FromResult<IClusterMembership>(new EmbeddedMembership(self));
}
