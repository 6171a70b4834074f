using Whip.Client;

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
            mute.Add($"broker{i}.testdom:8010");
            time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(256, mute.Count);
        Assert.False(mute.Contains("broker43.testdom:8010"));
        Assert.True(mute.Contains("broker44.testdom:8010"));
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.False(mute.Contains("broker299.testdom:8010"));
        Assert.Equal(255, mute.Count);
    }
}
