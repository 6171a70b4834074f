using System.Collections.Concurrent;
using System.Threading.Channels;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Tests.Client;

/// <summary>The service of a <see cref="KeptSoak"/>: it does what the plan of each dial says, and notes what must not come.</summary>
internal sealed class SoakService(TestBroker broker) : IAsyncDisposable
{
    public const int Port = 5051;
    public const int RefusedPort = 5052;

    private readonly ConcurrentQueue<string> _wrong = [];
    private readonly ConcurrentDictionary<int, Task> _serving = new();
    private ScriptedAgent? _agent;
    private Task _accepting = Task.CompletedTask;

    public IReadOnlyCollection<string> Wrong => _wrong;

    public async Task StartAsync()
    {
        _agent = await broker.RegisterAsync("instance1.testdom", Port, RefusedPort);
        _accepting = AcceptAsync(_agent);
    }

    /// <summary>Waits for the dials under way, whose dialers have all gone.</summary>
    public async Task WhenQuietAsync()
    {
        await broker.AssertNothingLeftAsync();
        await Task.WhenAll(_serving.Values).WaitAsync(Patience.Long);
    }

    public async ValueTask DisposeAsync()
    {
        await (_agent?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _accepting.WaitAsync(Patience.Long);
    }

    private async Task AcceptAsync(ScriptedAgent agent)
    {
        try
        {
            for (var i = 0; ; i++)
            {
                var connect = await agent.NextConnectAsync();
                _serving[i] = Task.Run(() => ServeAsync(agent, connect));
            }
        }
        catch (Exception error) when (error is ChannelClosedException or OperationCanceledException)
        {
            // The soak is over.
        }
    }

    private async Task ServeAsync(ScriptedAgent agent, Connect connect)
    {
        if (connect.LocalPort == RefusedPort)
        {
            await agent.FailAsync(connect, "refused");
            return;
        }

        Leg? leg = null;
        SoakPlan? plan = null;
        try
        {
            leg = await agent.BringLegAsync(connect);
            var head = new byte[SoakPlan.Size];
            if (await leg.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false).AsTask().WaitAsync(Patience.Long) < head.Length)
            {
                _wrong.Enqueue("a dial ended cleanly before its plan was whole");
                return;
            }

            plan = SoakPlan.Parse(head);
            if (plan is null)
            {
                _wrong.Enqueue("the first bytes of a dial are not a plan");
                return;
            }

            await ServeAsync(leg, plan);
            await leg.DisposeAsync();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // Where the dialer reset, or left while it was being sent to.
            if (plan is { Dialer: DialerWay.EndsFirst or DialerWay.EndsLast, Service: not ServiceWay.Resets })
            {
                _wrong.Enqueue($"{plan}: broke at the service: {error.Message}");
            }
        }
        finally
        {
            leg?.Abort();
        }
    }

    private async Task ServeAsync(Leg leg, SoakPlan plan)
    {
        if (plan.Service == ServiceWay.Resets)
        {
            await leg.WriteAsync(plan.Down().AsMemory(0, plan.DownLength / 2));
            leg.Abort();
            return;
        }

        var receiving = ReceiveAsync(leg, plan);
        if (plan.Service != ServiceWay.SpeaksFirst && plan.Dialer != DialerWay.EndsLast)
        {
            await receiving;
        }

        // A reset is told once: to the write, if one is under way, and then the read ends as if the dialer had.
        await Task.WhenAll(receiving, SendAsync(leg, plan));
        if (plan.Dialer == DialerWay.Aborts || await receiving < plan.UpLength)
        {
            _wrong.Enqueue($"{plan}: a clean end after {await receiving} of {plan.UpLength} bytes");
        }
    }

    private static async Task SendAsync(Leg leg, SoakPlan plan)
    {
        await leg.WriteAsync(plan.Down());
        await leg.CompleteWritesAsync();
    }

    private async Task<int> ReceiveAsync(Leg leg, SoakPlan plan)
    {
        var expected = plan.Up();
        var buffer = new byte[plan.Service == ServiceWay.ReadsSlowly ? 700 : 20_000];
        var position = 0;
        while (await leg.ReadAsync(buffer).AsTask().WaitAsync(Patience.Long) is > 0 and var read)
        {
            if (position + read > expected.Length || !expected.AsSpan(position, read).SequenceEqual(buffer.AsSpan(0, read)))
            {
                _wrong.Enqueue($"{plan}: bytes that are not this dial's");
                return position;
            }

            position += read;
            if (plan.Service == ServiceWay.ReadsSlowly)
            {
                await Task.Yield();
            }
        }

        return position;
    }
}
