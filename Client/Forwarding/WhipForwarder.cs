using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Protocol;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Options;

namespace Whip.Client.Forwarding;

/// <summary>
/// Lets programs that know nothing of Whip reach registered names: listens at addresses of this machine and joins each connection to a dial, of one
/// name (<see cref="Forward"/>) or of the name that a SOCKS5 client asks for (<see cref="ServeSocks"/>). Ends, half-closes and resets go through as
/// they are; a connection whose dial fails is reset. Thread safe.
/// </summary>
/// <remarks>A Unix socket cannot carry a reset: its client sees one as an end of the stream.</remarks>
public sealed class WhipForwarder : IAsyncDisposable
{
    // A client on this machine needs no time for it.
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(5);

    private readonly IWhipDialer _dialer;
    private readonly WhipForwarderOptions _options;
    private readonly ForwarderSeams _seams;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly LogRation _full;
    private readonly LogRation _failures;
    private readonly LegWatch _watch;
    private readonly RelayContext _relays;
    private readonly SocksServer _socks;
    private readonly TaskTracker _connections;
    private readonly CancellationTokenSource _cut = new();
    private readonly Lock _lock = new();
    private readonly List<ForwardListener> _listeners = [];
    private Task? _stopped;

    /// <summary>Listens nowhere yet.</summary>
    /// <param name="dialer">Dials; not disposed by the forwarder.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <param name="loggerFactory">Gets a line for each dial that fails, at most ten a minute; null: nobody does.</param>
    /// <exception cref="WhipOptionException">An option cannot work.</exception>
    public WhipForwarder(IWhipDialer dialer, WhipForwarderOptions? options = null, ILoggerFactory? loggerFactory = null)
        : this(dialer, options ?? new WhipForwarderOptions(), loggerFactory ?? NullLoggerFactory.Instance, TimeProvider.System, null)
    {
    }

    internal WhipForwarder(
        IWhipDialer dialer, WhipForwarderOptions options, ILoggerFactory loggerFactory, TimeProvider time, ForwarderSeams? seams)
    {
        ArgumentNullException.ThrowIfNull(dialer);
        options.Check();
        (_dialer, _options, _time) = (dialer, options, time);
        _seams = seams ?? new ForwarderSeams();
        _log = loggerFactory.CreateLogger("Whip.Forwarder");
        _full = new LogRation(1, count => ForwarderLog.MoreFull(_log, count), time);
        _failures = new LogRation(LogRation.Named, count => ForwarderLog.MoreFailed(_log, count), time);
        _watch = new LegWatch(time);
        _relays = new RelayContext(new RelayBuffers(time), time, TimeSpan.FromHours(1));
        _socks = new SocksServer(options.SocksPassword is { } password ? new SocksCredentials(options.SocksUsername, password) : null);
        _connections = new TaskTracker(error => ForwarderLog.Faulted(_log, error));
    }

    /// <summary>Connections that are open now.</summary>
    public int Connections => _connections.Count;

    /// <summary>Listens at <paramref name="address"/>, and joins each connection to a dial of <paramref name="host"/>.</summary>
    /// <param name="address">An <see cref="IPEndPoint"/>, whose port may be 0, or a <see cref="UnixDomainSocketEndPoint"/>.</param>
    /// <param name="host">An instance or a domain.</param>
    /// <param name="port">One that it publishes.</param>
    /// <returns>The address that was bound.</returns>
    /// <exception cref="WhipOptionException">Other machines reach the address, and <see cref="WhipForwarderOptions.ListenAnywhere"/> is false.</exception>
    /// <exception cref="ArgumentException">The host and port cannot be dialled.</exception>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public EndPoint Forward(EndPoint address, string host, int port)
    {
        var target = DialTarget.Of(host, port);
        RequireLoopback(address);
        return Listen(address, client => JoinAsync(client, target, isSocks: false));
    }

    /// <summary>
    /// Listens at <paramref name="address"/> for SOCKS5 clients that name what to dial. They let the forwarder resolve names (<c>socks5h</c>).
    /// </summary>
    /// <returns>The address that was bound.</returns>
    /// <exception cref="WhipOptionException">
    /// Other machines reach the address, and <see cref="WhipForwarderOptions.ListenAnywhere"/> is false or there is no
    /// <see cref="WhipForwarderOptions.SocksPassword"/>.
    /// </exception>
    /// <inheritdoc cref="Forward"/>
    public EndPoint ServeSocks(EndPoint address)
    {
        RequireLoopback(address);
        OptionText.Require(
            IsOfThisMachine(address) || _options.SocksPassword is not null, nameof(WhipForwarderOptions.SocksPassword), null,
            $"is needed, because other machines reach {address}", "a password, or an address of 127.0.0.1");
        return Listen(address, ServeSocksAsync);
    }

    /// <summary>
    /// Accepts nothing more. Connections continue for <see cref="WhipForwarderOptions.DrainTimeout"/>, or until
    /// <paramref name="cancellationToken"/>, and are then reset. Idempotent.
    /// </summary>
    public Task StopAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            return _stopped ??= StopOnceAsync([.. _listeners], cancellationToken);
        }
    }

    /// <summary>Stops at once: what is still open is reset.</summary>
    public async ValueTask DisposeAsync()
    {
        await _cut.CancelAsync().ConfigureAwait(false);
        await StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        _cut.Dispose();
    }

    private static bool IsOfThisMachine(EndPoint address) => address is not IPEndPoint { Address: var ip } || IPAddress.IsLoopback(ip);

    private void RequireLoopback(EndPoint address)
    {
        ArgumentNullException.ThrowIfNull(address);
        OptionText.Require(
            _options.ListenAnywhere || IsOfThisMachine(address), nameof(WhipForwarderOptions.ListenAnywhere), null,
            $"is needed, because other machines reach {address} and would dial with this program's certificate", "an address of 127.0.0.1");
    }

    private EndPoint Listen(EndPoint address, Func<Leg, Task> serve)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stopped is not null, this);
            var listener = new ForwardListener(address, _time);
            _listeners.Add(listener);
            listener.Start(socket => Accept(socket, serve));
            return listener.LocalEndPoint;
        }
    }

    private async Task StopOnceAsync(ForwardListener[] listeners, CancellationToken cancellationToken)
    {
        using var drain = new Deadline(_options.DrainTimeout, _time, cancellationToken, _cut.Token);
        await Task.WhenAll(listeners.Select(listener => listener.StopAsync())).ConfigureAwait(false);
        await _connections.WhenEmpty().WaitAsync(drain.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _cut.CancelAsync().ConfigureAwait(false);
        await _connections.WhenEmpty().ConfigureAwait(false);
    }

    private void Accept(Socket socket, Func<Leg, Task> serve)
    {
        if (_connections.Count >= _options.MaxConnections || !_seams.TryEnter())
        {
            socket.Close(0);
            if (_full.Take())
            {
                ForwarderLog.Full(_log, _connections.Count);
            }

            return;
        }

        var client = new Leg(socket, _time, _watch);
        client.OnClosed(_seams.Leave);
        _connections.Run(() => ServeAsync(client, serve));
    }

    private static async Task ServeAsync(Leg client, Func<Leg, Task> serve)
    {
        try
        {
            await serve(client).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The client has gone, or the forwarder stops.
        }
        finally
        {
            client.Abort();
        }
    }

    private async Task ServeSocksAsync(Leg client)
    {
        SocksRequest request;
        using (var handshake = new Deadline(HandshakeTimeout, _time, _cut.Token))
        {
            request = await _socks.ReadAsync(client, handshake.Token).ConfigureAwait(false);
        }

        if (request.Problem is null)
        {
            await JoinAsync(client, request.Target, isSocks: true).ConfigureAwait(false);
            return;
        }

        if (_failures.Take())
        {
            ForwarderLog.SocksRefused(_log, request.Problem);
        }

        await client.DisposeAsync().ConfigureAwait(false);
    }

    private async Task JoinAsync(Leg client, DialTarget target, bool isSocks)
    {
        var result = await DialAsync(client, target).ConfigureAwait(false);
        _seams.Dialled(result.Outcome);
        if (!result.IsConnected && _failures.Take())
        {
            ForwarderLog.DialFailed(_log, target, result.Outcome, result.Reason);
        }

        try
        {
            if (isSocks)
            {
                await SocksServer.AnswerAsync(client, result.Outcome, _cut.Token).ConfigureAwait(false);
            }
        }
        catch
        {
            result.Stream?.Abort();
            throw;
        }

        if (result.IsConnected)
        {
            await Relay.RunAsync(client, result.Stream, _relays, _cut.Token).ConfigureAwait(false);
        }
        else if (isSocks)
        {
            // After an answer the connection ends, so that the answer is read.
            await client.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>A client that resets its connection meanwhile ends the dial. One that has only finished sending does not.</summary>
    private async Task<DialResult> DialAsync(Leg client, DialTarget target)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_cut.Token);
        var request = new DialRequest(target) { Deadline = _options.Deadline, Wait = _options.Wait };
        var dialing = _dialer.TryDialAsync(request, ended.Token).AsTask();
        try
        {
            var readable = client.WaitReadableAsync();
            if (await Task.WhenAny(dialing, readable).ConfigureAwait(false) == readable)
            {
                await readable.ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            await ended.CancelAsync().ConfigureAwait(false);
        }

        return await dialing.ConfigureAwait(false);
    }
}

/// <summary>What a program that forwards adds to the forwarder.</summary>
internal sealed record ForwarderSeams
{
    /// <summary>Takes places for one more connection and its dial; false: there are none.</summary>
    public Func<bool> TryEnter { get; init; } = static () => true;

    public Action Leave { get; init; } = static () => { };

    public Action<DialOutcome> Dialled { get; init; } = static _ => { };
}
