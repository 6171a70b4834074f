using Whip.Protocol.Kept;

namespace Whip.Tests.Protocol.Kept;

public sealed class FrameHeaderTests
{
    public static TheoryData<int, int, int> Lengths => new()
    {
        { 0, 1, 262_144 },
        { 1, 0, 0 },
        { 2, 0, 16_384 },
        { 3, 0, 0 },
        { 4, 0, 1_024 },
        { 5, 0, 0 },
        { 6, 0, 0 },
    };

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Each_kind_has_its_lengths_and_no_other(int kind, int least, int most)
    {
        for (var length = 0; length <= most + 1; length++)
        {
            Assert.Equal(length >= least && length <= most, IsFrame(kind, length));
        }

        Assert.False(IsFrame(kind, 0xFF_FFFF));
    }

    [Fact]
    public void No_other_kind_is_a_frame()
    {
        for (var kind = 7; kind < 256; kind++)
        {
            Assert.False(IsFrame(kind, 0));
            Assert.False(IsFrame(kind, 1));
        }
    }

    [Fact]
    public void A_header_is_the_kind_and_three_bytes_big_endian()
    {
        var bytes = new byte[FrameHeader.Size];
        new FrameHeader(FrameKind.Data, 0x03_0201).Write(bytes);
        Assert.Equal([0, 3, 2, 1], bytes);
        Assert.True(FrameHeader.TryRead(bytes, out var read));
        Assert.Equal(new FrameHeader(FrameKind.Data, 0x03_0201), read);
        new FrameHeader(FrameKind.Done, 0).Write(bytes);
        Assert.Equal([5, 0, 0, 0], bytes);
    }

    private static bool IsFrame(int kind, int length) =>
        FrameHeader.TryRead([(byte)kind, (byte)(length >> 16), (byte)(length >> 8), (byte)length], out _);
}
