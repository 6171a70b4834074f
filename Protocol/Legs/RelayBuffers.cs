using System.Buffers;

namespace Whip.Protocol.Legs;

/// <summary>Where relays rent their buffers. Counted, so that a buffer held while idle or lost is seen.</summary>
internal sealed class RelayBuffers
{
    private int _outstanding;

    /// <summary>Buffers rented and not returned.</summary>
    public int Outstanding => Volatile.Read(ref _outstanding);

    public byte[] Rent(int size)
    {
        Interlocked.Increment(ref _outstanding);
        return ArrayPool<byte>.Shared.Rent(size);
    }

    public void Return(byte[] buffer)
    {
        ArrayPool<byte>.Shared.Return(buffer);
        Interlocked.Decrement(ref _outstanding);
    }
}
