using Whip.Broker;
using Whip.Hosting.Programs;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Proxy;

/// <summary>The original's mode: the proxy's process is the broker too, and dials without a socket in between.</summary>
internal sealed record OneProcess(string ExternalHost, int ExternalPort, int TcpPort, int GrpcPort, WhipTlsOptions Tls)
{
    public IWhipProgram Create(WhipProxyOptions options, ProgramContext context)
    {
        var broker = new WhipBroker(
            new WhipBrokerOptions
            {
                GrpcListen = $":{GrpcPort}",
                TcpListen = $":{TcpPort}",
                DialListen = "",
                ExternalTcp = HostPort.Format(ExternalHost, ExternalPort),
                DrainTimeout = options.DrainTimeout,
                Tls = Tls,
            },
            context.LoggerFactory,
            context.Metrics,
            context.Time);
        options.Dialer = broker;
        return new Program(broker, new WhipProxy(options, context.LoggerFactory, context.Metrics, context.Time));
    }

    private sealed class Program(IWhipProgram broker, IWhipProgram proxy) : IWhipProgram
    {
        public IReadOnlyList<BoundAddress> BoundAddresses => [.. broker.BoundAddresses, .. proxy.BoundAddresses];

        public bool IsReady => broker.IsReady && proxy.IsReady;

        public async Task StartAsync(CancellationToken cancellationToken)
        {
            await broker.StartAsync(cancellationToken);
            await proxy.StartAsync(cancellationToken);
        }

        public async Task StopAsync(CancellationToken cancellationToken)
        {
            await proxy.StopAsync(cancellationToken);
            await broker.StopAsync(cancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            await proxy.DisposeAsync();
            await broker.DisposeAsync();
        }
    }
}
