using Whip.Hosting.Grpc;
using Xunit;

namespace Whip.Tests.Hosting.Grpc;

public sealed class GrpcTimeoutTests
{
    [Theory]
    [InlineData("2H", 7_200_000)]
    [InlineData("3M", 180_000)]
    [InlineData("4S", 4_000)]
    [InlineData("250m", 250)]
    [InlineData("2000u", 2)]
    [InlineData("3000000n", 3)]
    [InlineData("0S", 0)]
    [InlineData("99999999H", 24L * 24 * 3_600_000)]
    public void A_timeout_is_read(string text, long milliseconds) => Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), GrpcTimeout.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("1s")]
    [InlineData("-1S")]
    [InlineData("1.5S")]
    [InlineData(" 1S")]
    [InlineData("123456789S")]
    public void What_is_no_timeout_is_refused(string text) => Assert.Null(GrpcTimeout.Parse(text));
}
