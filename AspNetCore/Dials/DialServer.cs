using System.Buffers;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Whip.Agent;
using Whip.Agent.Legs;
using Whip.Hosting.Listening;
using Whip.Hosting.Programs;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;

namespace Whip.AspNetCore.Dials;

/// <summary>
/// The agent of one <see cref="WhipWebHostBuilderExtensions.UseWhip"/>, and what hands its dials to Kestrel. Kestrel starts it, when it listens at all its
/// end points, and has it leave its brokers first when it stops; the host waits for what is still to be sent.
/// </summary>
internal sealed class DialServer : IWhipProgram, IDialAcceptor
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, DialPort> _ports;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _detached = new();

    // Of connections: no two processes have the same.
    private readonly string _idPrefix = RandomNumberGenerator.GetHexString(8);
    private MemoryPool<byte>? _memory;
    private TaskCompletionSource? _settled;
    private int _lastId;
    private int _unsettled;
    private int _unbound;
    private bool _isClosed;

    public DialServer(WhipAgentOptions options, HandshakeSlots openings, ProgramContext context)
    {
        _log = context.LoggerFactory.CreateLogger("Whip.AspNetCore");
        Agent = new WhipAgent(
            options, openings, context.LoggerFactory, context.Metrics, context.Time, descriptors: context.Descriptors, acceptor: this);
        _ports = Agent.Ports.ToDictionary(port => port, port => new DialPort(this, context.Time));
    }

    public WhipAgent Agent { get; }

    /// <summary>Ends the dials that have not said yet what they speak: none of them has a request that is under way.</summary>
    public CancellationToken HasDetached => _detached.Token;

    bool IWhipProgram.IsReady => Agent.IsReady;

    IReadOnlyList<BoundAddress> IWhipProgram.BoundAddresses => [];

    /// <summary>Adds the end points of the published ports to those of Kestrel.</summary>
    public void ListenWith(KestrelServerOptions kestrel, Action<int, ListenOptions>? configure)
    {
        const HttpProtocols Both = HttpProtocols.Http1AndHttp2;
        foreach (var port in _ports.Keys)
        {
            var hasBoth = false;
            Listen(port, isForHttp2: false, options =>
            {
                // HTTP/3 is not for streams.
                if (options.Protocols.HasFlag(HttpProtocols.Http3))
                {
                    options.Protocols &= ~HttpProtocols.Http3;
                }

                hasBoth = options.Protocols == Both;
            });
            if (hasBoth)
            {
                Listen(port, isForHttp2: true, options => options.Protocols = HttpProtocols.Http2);
            }
        }

        void Listen(int port, bool isForHttp2, Action<ListenOptions> change)
        {
            _unbound++;
            kestrel.Listen(new WhipEndPoint(this, Agent.Name, port, isForHttp2), options =>
            {
                configure?.Invoke(port, options);
                change(options);
            });
        }
    }

    /// <summary>The last one starts the agent.</summary>
    public async ValueTask<IConnectionListener> BindAsync(
        WhipEndPoint endPoint, TimeSpan silence, IMemoryPoolFactory<byte> memory, CancellationToken cancellationToken)
    {
        var listener = new DialListener(endPoint);
        _memory ??= memory.Create();
        _ports[endPoint.Port].Bind(listener, silence);
        if (--_unbound == 0)
        {
            await Agent.StartAsync(cancellationToken);
        }

        return listener;
    }

    public ILocalSide? TryOpen(Connect connect)
    {
        lock (_lock)
        {
            if (_isClosed)
            {
                return null;
            }

            _unsettled++;
        }

        var port = _ports[(int)connect.LocalPort];
        var connection = new DialConnection($"{_idPrefix}{Interlocked.Increment(ref _lastId):X8}", port.EndPoint, FeatureOf(connect, port), _memory!)
        {
            RemoteEndPoint = DialerAddress.TryParse(connect.DialerAddress, out var address) ? address!.Source : null,
        };
        return new DialSide(port, connection, _log);
    }

    /// <summary>A dial that was opened has reached its port, or has been given up.</summary>
    public void Settled()
    {
        lock (_lock)
        {
            if (--_unsettled == 0)
            {
                _settled?.SetResult();
                _settled = null;
            }
        }
    }

    /// <summary>Leaves the brokers. When it returns, the dials that they had asked for have been offered, and no others are.</summary>
    public async Task DetachAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Agent.DetachAsync(cancellationToken);
            await WhenSettled().WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The host waits no longer.
        }

        await _detached.CancelAsync();
    }

    Task IWhipProgram.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Kestrel has stopped.</summary>
    Task IWhipProgram.StopAsync(CancellationToken cancellationToken) => Agent.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Agent.DisposeAsync();
        _memory?.Dispose();
        _detached.Dispose();
    }

    private DialFeature FeatureOf(Connect connect, DialPort port)
    {
        // A broker may be one that does not tell it.
        var dialled = connect.Dialled.Length > 0 ? Printable.Clean(connect.Dialled) : Agent.Name;
        var names = connect.Dialer.Select(name => Printable.Clean(name));
        return new DialFeature([.. names], Printable.Clean(connect.DialerId), dialled, Agent.Name, port.EndPoint.Port);
    }

    private Task WhenSettled()
    {
        lock (_lock)
        {
            _isClosed = true;
            return _unsettled == 0 ? Task.CompletedTask : (_settled ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }
}

/// <inheritdoc cref="IWhipDialFeature"/>
internal sealed record DialFeature(IReadOnlyList<string> DialerNames, string DialerId, string DialledName, string Name, int Port) : IWhipDialFeature;
