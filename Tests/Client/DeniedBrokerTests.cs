using Whip.Client;
using Whip.Protocol.Dialing;

namespace Whip.Tests.Client;

public sealed class DeniedBrokerTests
{
    [Fact]
    public async Task A_broker_that_a_dialer_comes_to_deny_loses_its_streams_and_is_dialled_no_more_until_it_is_no_longer_denied()
    {
        using var folder = new TempFolder();
        await using var front = FakeDialFront.Good(true);
        var tls = TestCertificates.Shared.WriteClientFiles(folder.FullName, "dialer.testdom");
        tls.DenyPath = folder.Write("deny", "");
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var dialer = new WhipDialer(new WhipDialerOptions { Brokers = [front.Authority], Tls = tls }, time);
        await using var stream = await dialer.DialAsync("a.testdom", 81).WaitAsync(Patience.Long);

        folder.Write("deny", "localhost");
        time.Advance(TimeSpan.FromSeconds(1));
        var result = await dialer.TryDialAsync(new DialRequest("a.testdom", 81)).AsTask().WaitAsync(Patience.Long);
        Assert.Equal(DialOutcome.BrokerUnreachable, result.Outcome);
        Assert.Contains("the certificate (localhost, 127.0.0.1, ::1) is on the deny list", result.Reason);
        var ended = await Assert.ThrowsAnyAsync<Exception>(() => stream.ReadExactlyAsync(1)).WaitAsync(Patience.Long);
        Assert.True(ended is IOException or ObjectDisposedException, ended.ToString());

        folder.Write("deny", "");
        time.Advance(TimeSpan.FromSeconds(1));
        await using var again = await dialer.DialAsync("a.testdom", 81).WaitAsync(Patience.Long);
    }
}
