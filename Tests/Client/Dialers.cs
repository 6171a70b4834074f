using Whip.Client;
using Whip.Protocol.Tls;

namespace Whip.Tests.Client;

internal static class Dialers
{
    /// <summary>Its time stands still: no front is ever too slow for it.</summary>
    public static WhipDialer To(bool tls, params FakeDialFront[] fronts) => To(tls, new FakeTimeProvider(), fronts);

    public static WhipDialer To(bool tls, TimeProvider time, params FakeDialFront[] fronts) =>
        To(tls ? TestCertificates.Shared.ClientIdentity("dialer.testdom") : null, time, fronts);

    public static WhipDialer To(TlsIdentity? identity, TimeProvider time, params FakeDialFront[] fronts) =>
        new(new WhipDialerOptions { Brokers = [.. fronts.Select(front => front.Authority)] }, identity, time, first: 0);
}
