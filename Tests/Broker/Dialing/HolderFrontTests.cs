using Whip.Broker.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Tests.Broker.Dialing;

public sealed class HolderFrontTests
{
    [Fact]
    public async Task Another_broker_is_reached_although_an_address_of_its_name_is_dead()
    {
        await using var holder = FakeDialFront.Good(tls: false);
        using var name = new TwoAddresses(holder.Port);
        var connector = new Connector(TimeProvider.System, resolve: TwoAddresses.Resolve);
        var front = new HolderFront("broker-2", "whip", HostPort.Of("broker.test", name.Port), tls: null, connector, Descriptors.Many, TimeProvider.System);
        await using var leg = await front.ConnectAsync(default).WaitAsync(Patience.Long);
        Assert.Equal(TwoAddresses.Alive, leg.RemoteEndPoint.Address);
    }
}
