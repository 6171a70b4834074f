using Whip.Protocol.Dialing;

namespace Whip.Tests.Protocol.Dialing;

public sealed class DialExceptionTests
{
    private sealed class RefusingDialer : IWhipDialer
    {
        public ValueTask<DialResult> TryDialAsync(DialRequest request, CancellationToken cancellationToken = default) =>
            new(DialResult.Failed(DialOutcome.PortNotPublished, "a.testdom does not publish port 81"));
    }

    [Fact]
    public async Task A_failed_dial_throws_one_type_with_outcome_reason_and_name()
    {
        var error = await Assert.ThrowsAsync<WhipDialException>(() => new RefusingDialer().DialAsync("a.testdom", 81));
        Assert.Equal(DialOutcome.PortNotPublished, error.Outcome);
        Assert.Equal("a.testdom does not publish port 81", error.Reason);
        Assert.Equal("a.testdom:81", error.Name);
    }
}
