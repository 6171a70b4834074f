using System.Net;
using System.Net.Sockets;
using Whip.Protocol.Legs;

namespace Whip.Bench.Fuzz;

/// <summary>What one side does on one connection: it sends bytes, in one write or several, and ends.</summary>
/// <param name="Pieces">The bytes of each write.</param>
/// <param name="Ending">What it does then.</param>
internal sealed record FuzzInput(IReadOnlyList<ReadOnlyMemory<byte>> Pieces, FuzzEnding Ending)
{
    private const int MostCuts = 8;
    private const int ReadSize = 16 * 1024;

    // So that the other side mostly reads one piece at a time.
    private static readonly TimeSpan BetweenPieces = TimeSpan.FromMilliseconds(1);

    // A dial or a registration takes about so long; the end of a connection cancels it.
    private static readonly TimeSpan BeforeEnd = TimeSpan.FromMilliseconds(30);

    /// <summary>What is sent first; the rest follows the first bytes of its answer. Empty: nothing.</summary>
    public ReadOnlyMemory<byte> Opening { get; init; }

    /// <summary>With what the answer to the opening ends; empty: it may end anywhere.</summary>
    public ReadOnlyMemory<byte> OpeningEnd { get; init; }

    /// <summary>Chooses the writes and the end.</summary>
    public static FuzzInput Of(byte[] bytes, Random random)
    {
        var cuts = new int[random.Next(4) == 0 ? random.Next(1, MostCuts) : 0];
        for (var i = 0; i < cuts.Length; i++)
        {
            cuts[i] = random.Next(bytes.Length + 1);
        }

        var ending = random.Next(1000) switch
        {
            0 => FuzzEnding.Stay,
            < 80 => FuzzEnding.Reset,
            < 160 => FuzzEnding.Close,
            < 600 => FuzzEnding.Linger,
            _ => FuzzEnding.Finish,
        };
        return new FuzzInput(Split(bytes, cuts.Order()), ending);
    }

    /// <summary>The same on a connection of its own.</summary>
    /// <exception cref="SocketException">Nobody accepts it.</exception>
    /// <inheritdoc cref="RunAsync(Leg, CancellationToken)"/>
    public async Task RunAsync(IPEndPoint to, CancellationToken cancellationToken)
    {
        var leg = await Leg.ConnectAsync(to, cancellationToken);
        try
        {
            await RunAsync(leg, cancellationToken);
        }
        finally
        {
            leg.Abort();
        }
    }

    /// <summary>Returns when the other side has ended too, or the leg has been ended here.</summary>
    /// <exception cref="IOException">The other side has reset the leg.</exception>
    public async Task RunAsync(Leg leg, CancellationToken cancellationToken)
    {
        var scratch = new byte[ReadSize];
        if (Opening.Length > 0)
        {
            await leg.WriteAsync(Opening, cancellationToken);
            int read;
            do
            {
                read = await leg.ReadAsync(scratch, cancellationToken);
            }
            while (read > 0 && !scratch.AsSpan(0, read).EndsWith(OpeningEnd.Span));

            if (read == 0)
            {
                return;
            }
        }

        foreach (var (i, piece) in Pieces.Index())
        {
            await (i > 0 ? Task.Delay(BetweenPieces, cancellationToken) : Task.CompletedTask);
            await leg.WriteAsync(piece, cancellationToken);
        }

        switch (Ending)
        {
            case FuzzEnding.Reset:
                leg.Abort();
                return;
            case FuzzEnding.Close:
                await leg.DisposeAsync();
                return;
            case FuzzEnding.Linger:
                await Task.Delay(BeforeEnd, cancellationToken);
                await leg.CompleteWritesAsync(cancellationToken);
                break;
            case FuzzEnding.Finish:
                await leg.CompleteWritesAsync(cancellationToken);
                break;
            case FuzzEnding.Next:
                return;
        }

        while (await leg.ReadAsync(scratch, cancellationToken) > 0)
        {
        }
    }

    private static List<ReadOnlyMemory<byte>> Split(byte[] bytes, IEnumerable<int> cuts)
    {
        var pieces = new List<ReadOnlyMemory<byte>>();
        var start = 0;
        foreach (var end in cuts.Append(bytes.Length).Where(end => end > start))
        {
            pieces.Add(bytes.AsMemory(start, end - start));
            start = end;
        }

        return pieces;
    }
}

/// <summary>What a sender does after its last byte.</summary>
internal enum FuzzEnding
{
    /// <summary>Ends its direction and reads to the end of the other.</summary>
    Finish,

    /// <summary>The same a moment later, when what it sent has had its effect.</summary>
    Linger,

    /// <summary>Closes without reading.</summary>
    Close,

    Reset,

    /// <summary>Is silent until the other side ends.</summary>
    Stay,

    /// <summary>Leaves the connection to the next input.</summary>
    Next,
}
