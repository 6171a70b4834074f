using Whip.Protocol.Options;

namespace Whip.Tests.Protocol.Options;

public sealed class GoDurationTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("250ms", 250)]
    [InlineData("5s", 5_000)]
    [InlineData("1m30s", 90_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("0.1s", 100)]
    [InlineData("720h", 2_592_000_000)]
    [InlineData("2500000h", 9_000_000_000_000)]
    public void What_Go_writes_is_read(string text, long milliseconds)
    {
        Assert.True(GoDuration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("-5s")]
    [InlineData("5 s")]
    [InlineData("5s\n")]
    [InlineData("5d")]
    [InlineData(".5s")]
    [InlineData("1e3s")]
    [InlineData("2600000h")]
    [InlineData("9999999999999h9999999999999h")]
    [InlineData("99999999999999999999h")]
    public void What_is_no_duration_is_refused(string text) => Assert.False(GoDuration.TryParse(text, out _));
}
