namespace Whip.Tests.Support;

internal static class LegReading
{
    /// <summary>Everything until the clean end of the stream.</summary>
    public static async Task<byte[]> ReadToEndAsync(this Stream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all).WaitAsync(Patience.Long);
        return all.ToArray();
    }

    public static async Task<byte[]> ReadExactlyAsync(this Stream stream, int count)
    {
        var buffer = new byte[count];
        await stream.ReadExactlyAsync(buffer).AsTask().WaitAsync(Patience.Long);
        return buffer;
    }
}
