using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Whip.Agent;
using Whip.Client;
using Whip.Protocol.Dialing;

namespace Whip.Tests.Broker.Cluster;

/// <summary>Real agents that check services which stop and return, at a broker that is alone and at two of a cluster.</summary>
public sealed class HealthDialTests
{
    private const int Port = 80;

    [SkippableTheory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task An_instance_whose_service_has_stopped_is_left_out_until_it_returns(bool isCluster, bool tls)
    {
        await using var cluster = isCluster ? await TestCluster.StartAsync(tls) : null;
        await using var alone = isCluster ? null : await TestBroker.StartAsync(tls);
        var ingress = cluster?[0] ?? alone!;
        using var folder = new TempFolder();
        await using var a = new Letter('a');
        await using var b = new Letter('b');
        await using var agentA = await StartAgentAsync(a, cluster?[1] ?? alone!, tls, folder);
        await using var agentB = await StartAgentAsync(b, ingress, tls, folder);
        var options = new WhipDialerOptions { Brokers = [$"{ingress.Broker.DialEndPoint}"], Keep = false };
        var dialer = new WhipDialer(options, ingress.Client("dialer.testdom"), TimeProvider.System, first: 0);

        await UntilAsync("testdom", "a");
        await UntilAsync("testdom", "b");
        await a.StopAsync();
        await UntilAsync("a.testdom", "Unhealthy: a.testdom:80 is unhealthy: its tcp check has failed since ");
        for (var i = 0; i < 30; i++)
        {
            Assert.Equal("b", await DialAsync("testdom"));
        }

        await b.StopAsync();
        await UntilAsync("b.testdom", "Unhealthy: b.testdom:80 is unhealthy: ");
        const string Both = @"^Unhealthy: no instance of testdom:80 is healthy: [ab]\.testdom has failed its [^,]+, [ab]\.testdom has failed its ";
        await Patience.UntilAsync(async () => Regex.IsMatch(await DialAsync("testdom"), Both), "both by name");
        a.Start();
        await UntilAsync("testdom", "a");
        Assert.Equal("a", await DialAsync("a.testdom"));
        b.Start();
        await UntilAsync("testdom", "b");

        Task UntilAsync(string name, string answer) => Patience.UntilAsync(
            async () => (await DialAsync(name)).StartsWith(answer, StringComparison.Ordinal), $"{answer} from {name}");

        // The letter, or the outcome and its reason.
        async Task<string> DialAsync(string name)
        {
            var result = await dialer.TryDialAsync(new DialRequest(name, Port)).AsTask().WaitAsync(Patience.Long);
            if (result.Stream is not { } stream)
            {
                return $"{result.Outcome}: {result.Reason}";
            }

            await using (stream)
            {
                var letter = new byte[1];
                return await stream.ReadAsync(letter).AsTask().WaitAsync(Patience.Long) == 1 ? $"{(char)letter[0]}" : "end";
            }
        }
    }

    private static async Task<WhipAgent> StartAgentAsync(Letter service, TestBroker broker, bool tls, TempFolder folder)
    {
        var name = $"{service.Text}.testdom";
        var files = Directory.CreateDirectory(folder.PathOf(name)).FullName;
        var agent = new WhipAgent(
            new WhipAgentOptions
            {
                Hostname = $"{service.Text}",
                Domain = "testdom",
                Ports = [new(Port, $"{service.Port}")],
                Checks = [$"{Port}=tcp"],
                CheckInterval = TimeSpan.FromMilliseconds(100),
                Endpoints = [$"{broker.Broker.GrpcEndPoint}"],
                Homes = 1,
                DrainTimeout = TimeSpan.Zero,
                Tls = tls ? TestCertificates.Shared.WriteClientFiles(files, name) : new() { Enabled = false },
            },
            broker.Logs);
        await agent.StartAsync().WaitAsync(Patience.Long);
        await Patience.UntilAsync(() => agent.IsReady, "the registration");
        return agent;
    }

    /// <summary>A service that says its letter and ends.</summary>
    private sealed class Letter : IAsyncDisposable
    {
        private TcpListener _listener = new(IPAddress.Loopback, 0);
        private Task _serving = Task.CompletedTask;

        public Letter(char text)
        {
            Text = text;
            _listener.Start();
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
            _serving = ServeAsync(_listener);
        }

        public char Text { get; }

        public int Port { get; }

        public void Start()
        {
            _listener = new TcpListener(IPAddress.Loopback, Port);
            _listener.Start();
            _serving = ServeAsync(_listener);
        }

        public async Task StopAsync()
        {
            _listener.Stop();
            await _serving.WaitAsync(Patience.Long);
        }

        public ValueTask DisposeAsync() => new(StopAsync());

        private async Task ServeAsync(TcpListener listener)
        {
            try
            {
                while (true)
                {
                    using var connection = await listener.AcceptSocketAsync();
                    connection.Send([(byte)Text], SocketFlags.None, out _);
                }
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // The listener has stopped.
            }
        }
    }
}
