using Whip.Broker;
using Whip.Hosting.Programs;
using Whip.Protocol.Names;
using Whip.Protocol.Options;

namespace Whip.Proxy;

/// <summary>The original's mode: the proxy's process is the broker too, and dials without a socket in between.</summary>
internal sealed class OneProcess : IWhipProgram
{
    private readonly IWhipProgram _broker;
    private readonly IWhipProgram _proxy;

    private OneProcess(IWhipProgram broker, IWhipProgram proxy) => (_broker, _proxy) = (broker, proxy);

    public IReadOnlyList<BoundAddress> BoundAddresses => [.. _broker.BoundAddresses, .. _proxy.BoundAddresses];

    public bool IsReady => _broker.IsReady && _proxy.IsReady;

    public void Reload()
    {
        _broker.Reload();
        _proxy.Reload();
    }

    public void LegAtAnotherPort(string problem, byte[] start) => _broker.LegAtAnotherPort(problem, start);

    /// <exception cref="WhipOptionException">An option must change first.</exception>
    public static OneProcess Create(ProxyProgramOptions options, ProgramContext context)
    {
        try
        {
            var broker = new WhipBroker(
                new WhipBrokerOptions
                {
                    GrpcListen = $":{options.WhipGrpcListenPort}",
                    TcpListen = $":{options.WhipTcpListenPort}",
                    DialListen = "",
                    ExternalTcp = HostPort.Format(options.WhipExternalTcpAddress, options.WhipExternalTcpPort),
                    DrainTimeout = options.Proxy.DrainTimeout,
                    Tls = options.Tls,
                },
                context.LoggerFactory,
                context.Metrics,
                context.Time,
                context.Descriptors,
                option => context.NameOf(AsToldToProxy(option)));
            options.Proxy.Dialer = broker;
            return new OneProcess(
                broker, new WhipProxy(options.Proxy, context.LoggerFactory, context.Metrics, context.Time, context.Descriptors, context.NameOf));
        }
        catch (WhipOptionException error)
        {
            throw AsToldToProxy(error);
        }
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _broker.StartAsync(cancellationToken);
        }
        catch (WhipOptionException error)
        {
            throw AsToldToProxy(error);
        }

        await _proxy.StartAsync(cancellationToken);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _proxy.StopAsync(cancellationToken);
        await _broker.StopAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _broker.DisposeAsync();
    }

    private static WhipOptionException AsToldToProxy(WhipOptionException error) =>
        new(AsToldToProxy(error.Option), error.Value, error.Problem, error.Hint);

    /// <summary>The option through which the user has given the broker one of its own.</summary>
    private static string AsToldToProxy(string option) => option switch
    {
        nameof(WhipBrokerOptions.GrpcListen) => nameof(ProxyProgramOptions.WhipGrpcListenPort),
        nameof(WhipBrokerOptions.TcpListen) => nameof(ProxyProgramOptions.WhipTcpListenPort),
        nameof(WhipBrokerOptions.ExternalTcp) => nameof(ProxyProgramOptions.WhipExternalTcpAddress),
        _ => option,
    };
}
