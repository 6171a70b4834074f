using System.Net;
using Microsoft.Extensions.Logging;
using Whip.Broker.Listening;
using Whip.Hosting;
using Whip.Hosting.Listening;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;
using WhipService = Whip.Protocol.Messages.Whip;

namespace Whip.Tests.Broker.Listening;

/// <summary>A control listener on loopback whose calls the test drives.</summary>
internal sealed class ControlHost : IAsyncDisposable
{
    /// <summary>Of a peer that may go without a call.</summary>
    public const string SilentName = "silent.testdom";

    private readonly bool _tls;

    private ControlHost(bool tls, ControlListener listener, RecordingService service, UnauthenticatedGate gate, CapturedLogs logs)
    {
        _tls = tls;
        Listener = listener;
        Service = service;
        Gate = gate;
        Logs = logs;
    }

    public ControlListener Listener { get; }

    public RecordingService Service { get; }

    public UnauthenticatedGate Gate { get; }

    public CapturedLogs Logs { get; }

    public IPEndPoint EndPoint => Listener.LocalEndPoint;

    public static Task<ControlHost> StartAsync(bool tls, int gateCapacity = 1000) =>
        StartAsync(tls ? TestCertificates.Shared.BrokerIdentity : null, gateCapacity);

    public static async Task<ControlHost> StartAsync(TlsIdentity? identity, int gateCapacity = 1000)
    {
        var service = new RecordingService();
        var gate = new UnauthenticatedGate(gateCapacity, Descriptors.Many);
        var logs = new CapturedLogs();
        var listener = await ListenAsync(new IPEndPoint(IPAddress.Loopback, 0), identity, gate, service, logs);
        return new ControlHost(identity is not null, listener, service, gate, logs);
    }

    public static Task<ControlListener> ListenAsync(
        IPEndPoint listen, TlsIdentity? identity, UnauthenticatedGate gate, WhipService.WhipBase service, ILoggerFactory logs)
    {
        var limits = new WhipLimits();
        var admission = new ConnectionAdmission(identity, gate, Descriptors.Many, limits, onRejected: null, logs, TimeProvider.System)
        {
            MayBeSilent = peer => peer.Covers(SilentName),
        };
        return ControlListener.StartAsync(listen, admission, service, limits, logs, TimeProvider.System, default).WaitAsync(Patience.Long);
    }

    public Task<ControlCall> OpenAsync() => OpenAsync(_tls ? TestCertificates.Shared.ClientIdentity("instance1.testdom") : null);

    public Task<ControlCall> OpenAsync(TlsIdentity? identity, HostPort? broker = null) => ControlCall.OpenAsync(EndPoint, identity, broker);

    /// <summary>Ends the calls, and the listener.</summary>
    public async Task StopAsync()
    {
        Service.Stop();
        await Listener.StopAsync(default).WaitAsync(Patience.Long);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Listener.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        Logs.Dispose();
    }
}
