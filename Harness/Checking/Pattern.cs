namespace Whip.Harness.Checking;

/// <summary>
/// Endless random content in which the position determines every byte, so that each can be compared. It repeats after a prime number
/// of bytes: content that a buffer's size shifted, lost or doubled never matches.
/// </summary>
internal static class Pattern
{
    /// <summary>The most bytes that can be taken or compared at once.</summary>
    public const int MaxPiece = 256 * 1024;

    /// <summary>A prime.</summary>
    public const int Period = 1_048_573;

    private static readonly byte[] Bytes = Make();

    public static ReadOnlyMemory<byte> At(long position, int length) => Bytes.AsMemory((int)(position % Period), length);

    public static bool Matches(long position, ReadOnlySpan<byte> content) => content.SequenceEqual(At(position, content.Length).Span);

    private static byte[] Make()
    {
        var bytes = new byte[Period + MaxPiece];
        new Random(1).NextBytes(bytes.AsSpan(0, Period));
        bytes.AsSpan(0, MaxPiece).CopyTo(bytes.AsSpan(Period));
        return bytes;
    }
}
