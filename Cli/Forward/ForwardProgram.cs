using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Whip.Client;
using Whip.Client.Forwarding;
using Whip.Hosting.Files;
using Whip.Hosting.Flags;
using Whip.Hosting.Listening;
using Whip.Hosting.Programs;
using Whip.Protocol;

namespace Whip.Cli.Forward;

/// <summary><c>whip forward</c> and <c>whip socks</c>: a <see cref="WhipForwarder"/> as a program.</summary>
internal sealed class ForwardProgram : IWhipProgram
{
    // The client's connection and its dial's.
    private const int PlacesOfOne = 2;

    private readonly ForwardOptions _options;
    private readonly WhipDialer _dialer;
    private readonly WhipForwarder _forwarder;
    private readonly CertificateWatch _shown;
    private readonly LiveFiles _files;
    private readonly PortBinder _binder;
    private readonly TaskTracker _loops;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<BoundAddress> _bound = [];
    private volatile bool _isServing;

    public ForwardProgram(ForwardOptions options, ProgramContext context)
    {
        _options = options;
        var log = context.LoggerFactory.CreateLogger("Whip.Forward");
        _loops = new TaskTracker(error => ForwardLog.LoopFailed(log, error));
        _binder = new PortBinder(log, context.Time, context.NameOf);
        var identity = WhipDialer.LoadIdentity(options.Dialer, context.Time);
        _dialer = new WhipDialer(
            options.Dialer, identity, context.Time, Random.Shared.Next(options.Dialer.Brokers.Count), places: new KeptPlaces(context.Descriptors));
        var metrics = new ForwardMetrics(context.Metrics, () => _forwarder!.Connections);
        options.Forwarder.MaxConnections = int.MaxValue;
        _forwarder = new WhipForwarder(_dialer, options.Forwarder, context.LoggerFactory, context.Time, new ForwarderSeams
        {
            TryEnter = () => context.Descriptors.TryTake(PlacesOfOne),
            Leave = () => context.Descriptors.Return(PlacesOfOne),
            Dialled = metrics.Dialled,
        });
        _shown = new CertificateWatch("forward", identity, context.Metrics, log, context.Time);
        _files = new LiveFiles("forward", context.Metrics, context.Time, _shown, new DenyWatch(identity?.Denied, log));
    }

    public IReadOnlyList<BoundAddress> BoundAddresses => _bound;

    public bool IsReady => _isServing && !_shown.HasExpired;

    public void Reload() => _files.Look(atOnce: true);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var way in _options.Ways)
        {
            _bound.Add(new BoundAddress(way.Target?.ToString() ?? "socks", await BindAsync(way, cancellationToken)));
        }

        _loops.Run(_files.RunAsync, _stopping.Token);
        _isServing = true;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _isServing = false;
        await _forwarder.StopAsync(cancellationToken);
        _dialer.Dispose();
        await _stopping.CancelAsync();
        await _loops.WhenEmpty();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true));
        await _forwarder.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task<EndPoint> BindAsync(ForwardOptions.Way way, CancellationToken cancellationToken)
    {
        if (way.UnixPath is not { } path)
        {
            var address = ListenAddress.Parse(way.Option, way.Address);
            return await _binder.BindAsync(
                way.Option, way.Text, address, loopbackOnly: true, endPoint => Task.FromResult(Bind(way, endPoint)), cancellationToken);
        }

        try
        {
            return Bind(way, way.UnixEndPoint(path));
        }
        catch (SocketException error)
        {
            throw ListenAddress.BindFailure(way.Option, way.Text, error);
        }
    }

    private EndPoint Bind(ForwardOptions.Way way, EndPoint address) =>
        way.Target is { } target ? _forwarder.Forward(address, target.Name, target.Port) : _forwarder.ServeSocks(address);
}

/// <summary>The log of the program; the forwarder has its own.</summary>
internal static partial class ForwardLog
{
    [LoggerMessage(721, LogLevel.Error, "a loop of the program ended with an error that is a fault of its own")]
    public static partial void LoopFailed(ILogger logger, Exception error);
}
