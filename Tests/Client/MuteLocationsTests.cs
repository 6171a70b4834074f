using Whip.Client;
using Whip.Protocol.Names;

namespace Whip.Tests.Client;

public sealed class MuteLocationsTests
{
    [Fact]
    public void A_location_is_remembered_for_a_minute_and_the_oldest_makes_room()
    {
        var time = new FakeTimeProvider();
        var mute = new MuteLocations(time);
        for (var i = 0; i < 300; i++)
        {
            mute.Add(Broker(i));
            time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(256, mute.Count);
        Assert.False(mute.Contains(Broker(43)));
        Assert.True(mute.Contains(Broker(44)));
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.False(mute.Contains(Broker(299)));
        Assert.Equal(255, mute.Count);
    }

    private static HostPort Broker(int number) => HostPort.Of($"broker{number}.testdom", 8010);
}
