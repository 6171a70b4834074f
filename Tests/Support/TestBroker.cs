using System.Text;
using Prometheus;
using Whip.Broker;
using Whip.Hosting.Listening;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Tests.Support;

/// <summary>A broker of this process on free ports, plain or mTLS. Disposing it fails the test that leaked something or logged an undeclared error.</summary>
internal sealed class TestBroker : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly bool _tls;

    private TestBroker(bool tls, Action<WhipBrokerOptions>? configure, TimeProvider? time, DescriptorBudget? descriptors)
    {
        _tls = tls;
        var options = new WhipBrokerOptions
        {
            GrpcListen = "127.0.0.1:0",
            TcpListen = "127.0.0.1:0",
            DialListen = "127.0.0.1:0",
            BrokerId = "b1",
            DrainTimeout = TimeSpan.FromSeconds(2),
            DrainDelay = TimeSpan.Zero,
            Tls = tls ? TestCertificates.Shared.WriteFiles(_folder.FullName) : new WhipTlsOptions { Enabled = false },
        };
        configure?.Invoke(options);
        Broker = new WhipBroker(options, Logs, Metrics, time ?? TimeProvider.System, descriptors);
    }

    public CapturedLogs Logs { get; } = new();

    public CollectorRegistry Metrics { get; } = Prometheus.Metrics.NewCustomRegistry();

    public WhipBroker Broker { get; }

    public BrokerParts Parts => Broker.Parts!;

    public static async Task<TestBroker> StartAsync(
        bool tls, Action<WhipBrokerOptions>? configure = null, TimeProvider? time = null, DescriptorBudget? descriptors = null)
    {
        var broker = new TestBroker(tls, configure, time, descriptors);
        await broker.Broker.StartAsync().WaitAsync(Patience.Long);
        return broker;
    }

    /// <summary>Who a client of this broker is; null when it is plain.</summary>
    public TlsIdentity? Client(string name) => _tls ? TestCertificates.Shared.ClientIdentity(name) : null;

    /// <summary>Registers an agent that does only what the test says.</summary>
    public Task<ScriptedAgent> RegisterAsync(string name = "instance1.testdom", params int[] ports) =>
        ScriptedAgent.RegisterAsync(this, name, ports.Length == 0 ? [5051] : ports);

    /// <summary>A connection to the dial front, authenticated if the broker asks for it.</summary>
    public async Task<Leg> ConnectAsync(string client = "dialer.testdom")
    {
        var leg = await Leg.ConnectAsync(Broker.DialEndPoint!, default).WaitAsync(Patience.Long);
        if (Client(client) is { } identity)
        {
            await leg.AuthenticateAsClientAsync(identity, "127.0.0.1", default).WaitAsync(Patience.Long);
        }

        return leg;
    }

    /// <summary>A dial whose answer is still to come.</summary>
    /// <param name="target">What is dialled.</param>
    /// <param name="headers">Each with its end of line.</param>
    public async Task<Leg> BeginDialAsync(string target = "instance1.testdom:5051", string headers = "")
    {
        var dialer = await ConnectAsync();
        await dialer.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {target} HTTP/1.1\r\n{headers}\r\n"));
        return dialer;
    }

    /// <summary>Sends a head and reads the head of the answer; a body stays on the leg.</summary>
    public async Task<(Leg Leg, string Head)> SendAsync(string head, string client = "dialer.testdom")
    {
        var leg = await ConnectAsync(client);
        await leg.WriteAsync(Encoding.ASCII.GetBytes(head));
        return (leg, await ReadHeadAsync(leg));
    }

    /// <summary>One CONNECT from head to the last byte of a refusal.</summary>
    public async Task<string> RefusedAsync(string target, string headers = "", string client = "dialer.testdom")
    {
        var (leg, head) = await SendAsync($"CONNECT {target} HTTP/1.1\r\n{headers}\r\n", client);
        await using (leg)
        {
            return head + Encoding.ASCII.GetString(await leg.ReadToEndAsync());
        }
    }

    /// <summary>One dial that <paramref name="agent"/> serves, past its 200: the dialer's end and the agent's.</summary>
    public async Task<(Leg Dialer, Leg Agent)> JoinAsync(ScriptedAgent agent, string target = "instance1.testdom:5051")
    {
        var dialer = await BeginDialAsync(target);
        var leg = await agent.BringLegAsync(await agent.NextConnectAsync());
        Assert.StartsWith("HTTP/1.1 200 ", await ReadHeadAsync(dialer));
        return (dialer, leg);
    }

    public static async Task<string> ReadHeadAsync(Leg leg)
    {
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            head.Append((char)(await leg.ReadExactlyAsync(1))[0]);
        }

        return head.ToString();
    }

    /// <summary>What a scrape would show.</summary>
    public Task<string> ScrapeAsync() => Scrape.ReadAsync(Metrics);

    /// <summary>Waits until nothing of a dial is left: sockets, pending dials, buffers. A connection that is kept is no dial's.</summary>
    public async Task AssertNothingLeftAsync()
    {
        await Patience.UntilAsync(() => Parts.Pending.Count == 0 && Parts.Budget.Pending == 0, "no pending dial");
        await Patience.UntilAsync(() => Parts.Budget.Relays == 0, "no relay");
        await Patience.UntilAsync(() => Parts.Buffers.Outstanding == 0, "no rented buffer");
        await Patience.UntilAsync(
            () => Parts.Rendezvous.ConnectionCount == 0 && Parts.Rendezvous.Gate.Count == (_tls ? 0 : Parts.KeptLegs.Count),
            "no rendezvous connection but legs that are kept");
        await Patience.UntilAsync(() => Parts.ControlGate.Count == 0, "no control connection without a registration");
        await Patience.UntilAsync(
            () => Parts.DialListener is not { } listener
                || (listener.ConnectionCount == Parts.Kept.Count && listener.Gate.Count == (_tls ? 0 : Parts.Kept.Count)),
            "no dial front connection but those that are kept");
    }

    public async ValueTask DisposeAsync()
    {
        if (Broker.Parts is { } parts)
        {
            await Broker.StopAsync().WaitAsync(Patience.Long);
            Assert.Equal((0, 0, 0), (parts.Pending.Count, parts.Budget.Pending, parts.Streams.Count));
            Assert.Equal(0, parts.Buffers.Outstanding);
        }

        _folder.Dispose();
        Logs.Dispose();
    }
}
