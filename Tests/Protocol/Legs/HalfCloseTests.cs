using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Protocol.Legs;

public sealed class HalfCloseTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_direction_ends_while_the_other_is_in_full_flow(bool tls)
    {
        const int Chunks = 5000;
        const int ChunkSize = 100;
        for (var round = 0; round < 40; round++)
        {
            await using var pair = await LegPair.ConnectAsync(tls);
            var writing = Task.Run(async () =>
            {
                for (var i = 0; i < Chunks; i++)
                {
                    await pair.Near.WriteAsync(new byte[ChunkSize]);
                }

                await pair.Near.CompleteWritesAsync();
            });
            var read = 0;
            var reading = Task.Run(async () =>
            {
                var buffer = new byte[16 * 1024];
                for (int last; (last = await pair.Far.ReadAsync(buffer)) > 0;)
                {
                    Volatile.Write(ref read, read + last);
                }
            });

            // Somewhere in the middle, elsewhere each time.
            var middle = (round + 1) * Chunks * ChunkSize / 50;
            while (Volatile.Read(ref read) < middle && !reading.IsCompleted)
            {
                await Task.Yield();
            }

            await pair.Far.CompleteWritesAsync().AsTask().WaitAsync(Patience.Long);
            await Task.WhenAll(reading, writing).WaitAsync(Patience.Long);
            Assert.Equal(Chunks * ChunkSize, read);
            Assert.Empty(await pair.Near.ReadToEndAsync());
        }
    }
}
