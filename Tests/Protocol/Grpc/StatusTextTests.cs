using Whip.Protocol.Grpc;
using Xunit;

namespace Whip.Tests.Protocol.Grpc;

public sealed class StatusTextTests
{
    [Theory]
    [InlineData("plain text ~", "plain text ~")]
    [InlineData("100%", "100%25")]
    [InlineData("Zürich 🚂", "Z%C3%BCrich %F0%9F%9A%82")]
    [InlineData("a\r\nb", "a%0D%0Ab")]
    public void A_message_is_percent_encoded(string message, string encoded) => Assert.Equal(encoded, StatusText.Encode(message));

    [Theory]
    [InlineData("Z%C3%BCrich %F0%9F%9A%82 100%25", "Zürich 🚂 100%")]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("%zz%41", "%zzA")]
    [InlineData("%C3", "\uFFFD")]
    [InlineData("a%0D%0A%1Bb", "a???b")]
    public void What_is_no_escape_stays_and_a_control_character_does_not(string encoded, string message) =>
        Assert.Equal(message, StatusText.Decode(encoded));

    [Fact]
    public void A_long_message_is_cut_between_characters()
    {
        var encoded = StatusText.Encode(new string('ü', 2000));
        Assert.Equal(512, StatusText.Decode(encoded).Length);
        Assert.Equal('\uFFFD', StatusText.Decode(StatusText.Encode("\uD83D"))[0]);
    }

    [Theory]
    [InlineData("0", null, 0, "")]
    [InlineData("5", "no%20such host", 5, "no such host")]
    [InlineData("99", "text", 2, "unknown status '99' text")]
    [InlineData("-1", null, 2, "unknown status '-1'")]
    public void A_status_is_read(string code, string? text, int expected, string message) =>
        Assert.Equal(new GrpcStatus((GrpcStatusCode)expected, message), StatusText.Parse(code, text));

    [Fact]
    public void No_status_is_none() => Assert.Null(StatusText.Parse(null, "text"));
}
