using System.Net;
using Whip.Hosting.Grpc;
using Whip.Hosting.Listening;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Protocol.Tls;
using Whip.Tests.Support;

namespace Whip.Tests.Hosting.Grpc;

/// <summary>A control server on loopback whose calls the test drives.</summary>
internal sealed class ControlHost : IAsyncDisposable
{
    private readonly bool _tls;

    private ControlHost(bool tls, ControlServer server, RecordingService service, UnauthenticatedGate gate, CapturedLogs logs)
    {
        _tls = tls;
        Server = server;
        Service = service;
        Gate = gate;
        Logs = logs;
    }

    public ControlServer Server { get; }

    public RecordingService Service { get; }

    public UnauthenticatedGate Gate { get; }

    public CapturedLogs Logs { get; }

    public string Authority => $"localhost:{Server.LocalEndPoint.Port}";

    public static Task<ControlHost> StartAsync(bool tls, int gateCapacity = 1000) =>
        StartAsync(tls ? TestCertificates.Shared.BrokerIdentity : null, gateCapacity);

    public static async Task<ControlHost> StartAsync(TlsIdentity? identity, int gateCapacity = 1000)
    {
        var service = new RecordingService();
        var gate = new UnauthenticatedGate(gateCapacity);
        var logs = new CapturedLogs();
        var options = new ControlServerOptions(new IPEndPoint(IPAddress.Loopback, 0), identity, gate);
        var server = await ControlServer.StartAsync(options, service, logs, CancellationToken.None).WaitAsync(Patience.Long);
        return new ControlHost(identity is not null, server, service, gate, logs);
    }

    public Task<ControlCall<RequestStream, ResponseStream>> OpenAsync() => OpenAsync(_tls ? TestCertificates.Shared.ClientIdentity("instance1.testdom") : null);

    public Task<ControlCall<RequestStream, ResponseStream>> OpenAsync(TlsIdentity? identity, string? authority = null)
    {
        var options = new ControlCallOptions(Server.LocalEndPoint, authority ?? Authority, identity, Patience.Long);
        return ControlCall<RequestStream, ResponseStream>.OpenAsync(GrpcMethods.Register, options, CancellationToken.None).WaitAsync(Patience.Long);
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        Logs.Dispose();
    }
}
