using System.Net;
using System.Net.Sockets;
using Whip.Agent;
using Whip.Protocol.Tls;

namespace Whip.Tests.Client;

/// <summary>A service that does what the test says, behind a real agent of <c>web.testdom</c> at a real broker.</summary>
internal sealed class RealService : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly WhipAgent _agent;
    private readonly Task _serving;

    private RealService(TestBroker broker, bool tls, Func<FakeDialConnection, Task> script, Action<WhipAgentOptions>? change)
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        var files = tls ? TestCertificates.Shared.WriteClientFiles(_folder.FullName, "web.testdom") : new WhipTlsOptions { Enabled = false };
        var options = new WhipAgentOptions
        {
            Hostname = "web",
            Domain = "testdom",
            Ports = { Port },
            Endpoints = { $"{broker.Broker.GrpcEndPoint}" },
            DrainTimeout = TimeSpan.Zero,
            Tls = files,
        };
        change?.Invoke(options);
        _agent = new WhipAgent(options, broker.Logs);
        _serving = ServeAsync(script);
    }

    public int Port { get; }

    public static async Task<RealService> StartAsync(
        TestBroker broker, bool tls, Func<FakeDialConnection, Task> script, Action<WhipAgentOptions>? change = null)
    {
        var service = new RealService(broker, tls, script, change);
        await service._agent.StartAsync();
        await Patience.UntilAsync(() => service._agent.IsReady, "the registration");
        return service;
    }

    public async ValueTask DisposeAsync()
    {
        await _agent.DisposeAsync();
        _listener.Stop();
        await _serving.WaitAsync(Patience.Long);
        _folder.Dispose();
    }

    private async Task ServeAsync(Func<FakeDialConnection, Task> script)
    {
        try
        {
            while (true)
            {
                using var connection = new FakeDialConnection(await _listener.AcceptSocketAsync());
                try
                {
                    await script(connection);
                }
                catch (IOException)
                {
                    // Cut by the test, or on a busy machine by a broker that took the leg for stale: the dial comes again on another.
                }
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }
}
