using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Hosting.Listening;
using Whip.Protocol.Legs;

namespace Whip.Bench.Fuzz;

/// <summary>
/// Brokers that say to an agent whatever an input is, each at a port of its own. An agent comes back slowly after a stream that has ended soon. So most
/// inputs go to streams that stand, as messages or as one of many legs, and few are the whole of a stream, at ports that have no other.
/// </summary>
internal sealed class FuzzBroker : IAsyncDisposable
{
    private const string IdPrefix = "fuzz";
    private const int Standing = 16;
    private const int Ending = 48;
    private const int InputsPerEnd = 256;

    private readonly BrokerCorpus _corpus;
    private readonly DescriptorBudget _descriptors = DescriptorBudget.OfProcess();
    private readonly List<SocketListener> _listeners = [];
    private readonly Channel<FuzzStream> _standing = Channel.CreateUnbounded<FuzzStream>();
    private readonly Channel<FuzzStream> _begun = Channel.CreateUnbounded<FuzzStream>();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<Leg>> _legs = [];

    /// <summary>Listens at once.</summary>
    /// <inheritdoc cref="BrokerCorpus"/>
    public FuzzBroker(IPEndPoint honest, int service)
    {
        Addresses =
        [
            .. Enumerable.Range(0, Standing).Select(i => Listen((leg, stop) => StandAsync(leg, $"b{i}", stop))),
            .. Enumerable.Range(0, Ending).Select(_ => Listen(BeginAsync)),
        ];
        _corpus = new BrokerCorpus(honest, Listen(TakeLegAsync), service);
    }

    /// <summary>Of the control listeners.</summary>
    public IReadOnlyList<IPEndPoint> Addresses { get; }

    /// <summary>Whether an input waits for the leg with this id.</summary>
    public static bool IsOurs(string id) => id.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <summary>Does what the input of this number is, and returns when the agent has dealt with it.</summary>
    public Task RunAsync(Random random, int number, CancellationToken cancellationToken) =>
        random.Next(InputsPerEnd) == 0 ? EndAsync(random, cancellationToken)
        : random.Next(2) == 0 ? SayAsync(random, number, cancellationToken)
        : ServeAsync(random, number, cancellationToken);

    public async ValueTask DisposeAsync() => await Task.WhenAll(_listeners.Select(listener => listener.DisposeAsync().AsTask()));

    private IPEndPoint Listen(Func<Leg, CancellationToken, Task> serve)
    {
        var listener = new SocketListener(
            "hostile broker", new IPEndPoint(IPAddress.Loopback, 0), maxUnauthenticated: int.MaxValue, _descriptors, NullLogger.Instance, TimeProvider.System);
        _listeners.Add(listener);
        listener.Start(async (leg, _, stop) =>
        {
            try
            {
                await serve(leg, stop);
            }
            catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
            {
                // The agent has gone.
            }
            finally
            {
                leg.Abort();
            }
        });
        return listener.LocalEndPoint;
    }

    private async Task EndAsync(Random random, CancellationToken cancellationToken)
    {
        var stream = await _begun.Reader.ReadAsync(cancellationToken);
        try
        {
            await FuzzInput.Of(_corpus.NextAnswer(random), random).RunAsync(stream.Leg, cancellationToken);
        }
        finally
        {
            stream.Leg.Abort();
        }
    }

    private async Task SayAsync(Random random, int number, CancellationToken cancellationToken)
    {
        var messages = _corpus.NextMessages(random);
        var stream = await NextAsync(cancellationToken);
        foreach (var message in messages)
        {
            await stream.SendMessageAsync(message, cancellationToken);
        }

        await stream.FlushAsync((ulong)number, cancellationToken);
        _standing.Writer.TryWrite(stream);
    }

    private async Task ServeAsync(Random random, int number, CancellationToken cancellationToken)
    {
        var id = $"{IdPrefix}{number}";
        var (input, isKept) = _corpus.NextLeg(id, random);
        var coming = new TaskCompletionSource<Leg>(TaskCreationOptions.RunContinuationsAsynchronously);
        _legs[id] = coming;
        try
        {
            var stream = await NextAsync(cancellationToken);
            await stream.SendMessageAsync(_corpus.Connect(id, isKept), cancellationToken);
            await stream.WhenLegAsync(id, coming.Task, cancellationToken);
            _standing.Writer.TryWrite(stream);
            if (coming.Task.IsCompleted)
            {
                await input.RunAsync(await coming.Task, cancellationToken);
            }
        }
        finally
        {
            _legs.TryRemove(id, out _);
            if (!coming.TrySetCanceled(CancellationToken.None) && coming.Task.IsCompletedSuccessfully)
            {
                (await coming.Task).Abort();
            }
        }
    }

    private async Task<FuzzStream> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var stream = await _standing.Reader.ReadAsync(cancellationToken);
            if (!stream.HasEnded)
            {
                return stream;
            }
        }
    }

    private async Task StandAsync(Leg leg, string brokerId, CancellationToken stop)
    {
        var stream = new FuzzStream(leg);
        if (await stream.OpenAsync(stop))
        {
            stream.Send(_corpus.Accept(brokerId));
            _standing.Writer.TryWrite(stream);
            await stream.RunAsync(stop);
        }
    }

    private async Task BeginAsync(Leg leg, CancellationToken stop)
    {
        var stream = new FuzzStream(leg);
        if (await stream.OpenAsync(stop))
        {
            _begun.Writer.TryWrite(stream);
            await WhenClosedAsync(leg, stop);
        }
    }

    private async Task TakeLegAsync(Leg leg, CancellationToken stop)
    {
        var preamble = await LegPreamble.ReadAsync(leg, stop);
        if (preamble.ConnectionId is { } id && _legs.TryRemove(id, out var coming) && coming.TrySetResult(leg))
        {
            await WhenClosedAsync(leg, stop);
        }
    }

    private static Task WhenClosedAsync(Leg leg, CancellationToken stop)
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        leg.OnClosed(closed.SetResult);
        return closed.Task.WaitAsync(stop);
    }
}
