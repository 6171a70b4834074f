using System.Net;
using System.Net.Sockets;
using Whip.Agent;
using Whip.Hosting.Listening;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Tests.Agent.Legs;

/// <summary>The steps of a broker that keeps the legs of a real agent, by hand.</summary>
public abstract class KeptLegTest : AgentTest
{
    // What the host of the service resolves to; a test may hold it back.
    private TaskCompletionSource _resolved = NewResolved();

    private protected FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

    private protected WhipAgent Agent { get; private set; } = null!;

    private protected ScriptedBroker Broker { get; private set; } = null!;

    private protected ScriptedStream Stream { get; private set; } = null!;

    /// <summary>On a clock that stands.</summary>
    private protected async Task StartAsync(
        bool tls, Action<WhipAgentOptions>? change = null, bool isAnnounced = true, DescriptorBudget? descriptors = null)
    {
        Broker = await StartBrokerAsync(tls);
        _resolved.SetResult();
        Agent = await StartAgentAsync(
            [$"127.0.0.1:{Broker.Grpc.Port}"],
            tls,
            options =>
            {
                options.TargetHost = "service.test";
                change?.Invoke(options);
            },
            Time,
            ResolveAsync,
            descriptors: descriptors);
        Stream = isAnnounced ? await Broker.RegisterAsync() : await Broker.NextStreamAsync();
    }

    /// <summary>The first dial of a leg, which is on.</summary>
    private protected async Task<(Leg Leg, NetworkStream Service)> BeginAsync(string id = "first")
    {
        await Stream.ConnectAsync(id, ServicePort, connect => connect.Keep = true);
        var leg = Closing(await Broker.AcceptLegAsync(id));
        return (leg, Closing(await AcceptServiceAsync()));
    }

    /// <summary>A leg that is idle after its first dial.</summary>
    private protected async Task<Leg> IdleAsync(string id = "first")
    {
        var (leg, service) = await BeginAsync(id);
        await EndAsync(leg, service);
        return leg;
    }

    /// <summary>A byte each way, and both ends.</summary>
    private protected static async Task EndAsync(Leg leg, NetworkStream service)
    {
        await leg.WriteAsync(Frames.Data(7));
        Assert.Equal([7], await service.ReadExactlyAsync(1));
        await service.WriteAsync(new byte[] { 8 });
        Assert.Equal(Frames.Data(8), await leg.ReadExactlyAsync(5));
        await leg.WriteAsync(Frames.End);
        Assert.Empty(await service.ReadToEndAsync());
        service.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal((byte[])[.. Frames.End, .. Frames.Done], await leg.ReadExactlyAsync(8));
    }

    private protected async Task AskAsync(Leg leg, string id, Action<Connect>? change = null)
    {
        var open = new Connect { ConnectionID = id, LocalPort = (uint)ServicePort };
        change?.Invoke(open);
        await leg.WriteAsync(Frames.Open(open));
    }

    /// <summary>A dial on an idle leg, which is on.</summary>
    private protected async Task<NetworkStream> OpenAsync(Leg leg, string id)
    {
        await AskAsync(leg, id);
        Assert.Equal(Frames.Opened, await leg.ReadExactlyAsync(4));
        return Closing(await AcceptServiceAsync());
    }

    /// <summary>From now on the service cannot be connected to, until <see cref="Resume"/>.</summary>
    private protected void Hold() => _resolved = NewResolved();

    private protected void Resume() => _resolved.TrySetResult();

    private protected Task UntilKeptAsync(int count) => Patience.UntilAsync(
        async () => (await ScrapeAsync()).Contains($"whip_agent_kept_legs {count}\n", StringComparison.Ordinal), $"{count} idle legs");

    /// <summary>Reset or ended: nothing comes any more.</summary>
    private protected static async Task AssertGoneAsync(Leg leg)
    {
        try
        {
            Assert.Empty(await leg.ReadToEndAsync());
        }
        catch (IOException)
        {
        }
    }

    /// <summary>Bytes in hexadecimal digits; none: the end of the connection.</summary>
    private protected static async Task SendAsync(Leg leg, string bytes)
    {
        if (bytes.Length > 0)
        {
            await leg.WriteAsync(Convert.FromHexString(bytes));
        }
        else
        {
            await leg.CompleteWritesAsync();
        }
    }

    private static TaskCompletionSource NewResolved() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        await _resolved.Task.WaitAsync(cancellationToken);
        return [IPAddress.Loopback];
    }
}
