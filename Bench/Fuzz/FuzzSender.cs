using System.Collections.Concurrent;
using System.Net.Sockets;
using Whip.Protocol;

namespace Whip.Bench.Fuzz;

/// <summary>Sends the inputs of one target, some at a time.</summary>
internal sealed class FuzzSender
{
    private const int AtATime = 32;
    private const int MostLingering = 256;

    // What takes longer leaves its place to another input, and goes on.
    private static readonly TimeSpan Place = TimeSpan.FromSeconds(1);

    private readonly FuzzWhip _whip;
    private readonly FuzzTarget _target;
    private readonly int _seed;
    private readonly ConcurrentQueue<int> _hung = new();
    private readonly ConcurrentBag<Task> _lingering = [];

    /// <param name="whip">Gets them.</param>
    /// <param name="target">What to send.</param>
    /// <param name="seed">Of all choices, with the number of the input.</param>
    public FuzzSender(FuzzWhip whip, FuzzTarget target, int seed)
    {
        (_whip, _target, _seed) = (whip, target, seed);
        whip.Service.Answer = target.Answer is { } answer ? (number, head) => answer(RandomOf(seed, number, isAnswer: true), head) : null;
    }

    /// <summary>The inputs whose connections did not end within the target's limit.</summary>
    public IReadOnlyCollection<int> Hung => _hung;

    /// <summary>The choices of one input depend on nothing else.</summary>
    public static Random RandomOf(int seed, int number, bool isAnswer = false)
    {
        // SplitMix64: seeds that are close to each other make streams that are not.
        var mixed = (((ulong)seed << 32) | ((uint)number << 1) | (isAnswer ? 1u : 0u)) * 0x9E37_79B9_7F4A_7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58_476D_1CE4_E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D0_49BB_1331_11EB;
        return new Random((int)(mixed >> 33));
    }

    public Task SendAsync(int from, int to, CancellationToken cancellationToken)
    {
        var parallelism = new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellationToken };
        return Parallel.ForAsync(from, to, parallelism, async (number, _) =>
        {
            var running = RunAsync(number, cancellationToken);
            await running.WaitAsync(Place, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (running.IsCompleted || _lingering.Count(input => !input.IsCompleted) >= MostLingering)
            {
                await running;
            }
            else
            {
                _lingering.Add(running);
            }
        });
    }

    /// <summary>Waits for the connections of all inputs.</summary>
    public Task WhenEndedAsync() => Task.WhenAll(_lingering);

    private async Task RunAsync(int number, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(_target.Limit, TimeProvider.System, cancellationToken);
        try
        {
            await _target.RunAsync(_whip, RandomOf(_seed, number), number, deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _hung.Enqueue(number);
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException)
        {
            // The program ended it before all was sent.
        }
    }
}
