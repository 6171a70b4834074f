using System.Net;
using System.Net.Sockets;
using Whip.Protocol.Tls;

namespace Whip.Protocol.Legs;

/// <summary>
/// One TCP connection of a pair, plain or TLS. One reader and one writer at a time; <see cref="End"/> is the one method that ends it, and
/// the first call wins.
/// </summary>
internal sealed partial class Leg : WhipStream
{
    // Takes the place of the callbacks once they have run, so that none is added to a leg that has ended.
    private static readonly Action Closed = static () => { };

    // close_notify is a few bytes: this is only spent when the peer has stopped reading.
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    private readonly Socket _socket;
    private readonly SocketStream _transport;
    private readonly TimeProvider _time;
    private readonly LegWatch? _watch;
    private IPEndPoint? _localEndPoint;
    private LegTls? _tls;
    private ReadOnlyMemory<byte> _unread;
    private Action? _onClosed;
    private volatile string? _vanished;
    private bool _endSeen;
    private Task? _readable;
    private CancellationTokenSource? _waiting;
    private int _ended;

    /// <summary>Takes ownership of a connected socket and sets its options.</summary>
    /// <param name="connected">The socket.</param>
    /// <param name="time">Limits how long a close may take.</param>
    /// <param name="watch">Ends the leg when its peer's machine has vanished; null: nothing does while something is outstanding.</param>
    /// <param name="hasOptions">The socket has the options already.</param>
    /// <param name="connectedTo">The address that was connected to; null for an accepted socket, which knows its addresses.</param>
    public Leg(Socket connected, TimeProvider? time = null, LegWatch? watch = null, bool hasOptions = false, IPEndPoint? connectedTo = null)
    {
        _socket = connected;
        _time = time ?? TimeProvider.System;
        _watch = watch;
        _transport = new SocketStream(connected);
        RemoteEndPoint = connectedTo ?? Unmapped(connected.RemoteEndPoint!);
        _localEndPoint = connectedTo is null ? Unmapped(connected.LocalEndPoint!) : null;
        if (!hasOptions)
        {
            LegSocketOptions.Apply(connected, RemoteEndPoint);
        }
    }

    public IPEndPoint RemoteEndPoint { get; }

    public IPEndPoint LocalEndPoint => _localEndPoint ??= Unmapped(_socket.LocalEndPoint!);

    /// <summary>The verified names of the peer's leaf; null before the handshake and on a plain leg.</summary>
    public PeerIdentity? Peer { get; private set; }

    public bool IsTls => _tls is not null;

    /// <summary>Who stands between the peer and here and may cut the connection, for messages; null: nobody that is known.</summary>
    public string? Through { get; set; }

    /// <summary>How many bytes of TLS to read ahead from now on. What was not read yet is held.</summary>
    public int ReadAhead
    {
        set => _tls?.Records.ReadAhead = value;
    }

    /// <summary>What is held by reading ahead.</summary>
    public int HeldBytes => _tls?.Records.HeldBytes ?? 0;

    private Stream Inner => _tls is null ? _transport : _tls;

    /// <summary>Connects to this one address; a name is connected to by a <see cref="Connector"/>.</summary>
    /// <exception cref="SocketException">Nobody answers.</exception>
    public static Task<Leg> ConnectAsync(IPEndPoint address, CancellationToken cancellationToken, TimeProvider? time = null) =>
        new Connector(time ?? TimeProvider.System).ConnectAsync([address.Address], address.Port, cancellationToken);

    /// <summary>
    /// A listener on every interface sees IPv4 peers at IPv4-mapped IPv6 addresses. The peer at a Unix socket is a process of this machine, without a
    /// port.
    /// </summary>
    public static IPEndPoint Unmapped(EndPoint address)
    {
        var endPoint = address as IPEndPoint ?? new IPEndPoint(IPAddress.Loopback, 0);
        return endPoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endPoint.Address.MapToIPv4(), endPoint.Port) : endPoint;
    }

    /// <summary>Looks at the first byte without taking it; -1 when the peer ended before sending one. Before TLS only.</summary>
    public ValueTask<int> PeekFirstByteAsync(CancellationToken cancellationToken) => _transport.PeekAsync(cancellationToken);

    /// <summary>For a leg whose reader is not Whip's own: see <see cref="EngineThread"/>.</summary>
    public void LeaveEngine() => _transport.LeavesEngine = true;

    /// <summary>Holds no more than what was read ahead. Not concurrently with a read.</summary>
    public void ShrinkReadAhead() => _tls?.Records.Shrink();

    /// <summary>Puts bytes that were read too far back in front of the stream.</summary>
    public void Unread(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 0)
        {
            _unread = (byte[])[.. bytes, .. _unread.Span];
        }
    }

    /// <summary>Runs <paramref name="callback"/> once: when the leg ends, or now if it has ended. Callable from any thread.</summary>
    public void OnClosed(Action callback)
    {
        var seen = Volatile.Read(ref _onClosed);
        while (!ReferenceEquals(seen, Closed))
        {
            var current = Interlocked.CompareExchange(ref _onClosed, seen + callback, seen);
            if (ReferenceEquals(current, seen))
            {
                return;
            }

            seen = current;
        }

        callback();
    }

    /// <summary>The failure of a connection that has ended where it should not have.</summary>
    public IOException Cut(string problem) => new(Through is null ? problem : $"{problem}; {Through} may have cut it, as proxies do with idle connections");

    internal override void OnReleased(Action callback) => OnClosed(callback);

    /// <summary>
    /// Completes when a byte or the end can be read, or the leg broke. It need not be cancelled before the next read, which
    /// takes it over: so a leg that was watched while idle can be given to a relay.
    /// </summary>
    public Task WaitReadableAsync() => _readable is { IsCompleted: false } readable ? AlsoAsync(readable)
        : _readable ??= ReadAsync(Memory<byte>.Empty, (_waiting = new CancellationTokenSource()).Token).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_readable is { } readable)
        {
            await (readable.IsCompleted ? readable : AlsoAsync(readable)).WaitAsync(cancellationToken).ConfigureAwait(false);
            _readable = null;
        }

        if (_unread.Length > 0)
        {
            return TakeUnread(buffer.Span);
        }

        try
        {
            return _endSeen ? 0 : Judge(await Inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false), buffer.Length);
        }
        catch (Exception) when (_vanished is not null)
        {
            throw new IOException(_vanished);
        }
    }

    /// <inheritdoc/>
    public override void Abort() => End(reset: true);

    public override async ValueTask DisposeAsync()
    {
        if (_waiting is not null && Volatile.Read(ref _ended) == 0)
        {
            // To close a socket with a read pending resets it.
            await _waiting.CancelAsync().ConfigureAwait(false);
            await (_readable ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (_tls is not null && !_writesCompleted && !_writing && Volatile.Read(ref _ended) == 0)
        {
            try
            {
                await CompleteWritesAsync().AsTask().WaitAsync(CloseTimeout, _time).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or TimeoutException or ObjectDisposedException or InvalidOperationException)
            {
                End(reset: true);
            }
        }

        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Blocks the thread, for user code that is synchronous; Whip itself never calls it.</summary>
    public override int Read(byte[] buffer, int offset, int count)
    {
        if (_unread.Length > 0)
        {
            return TakeUnread(buffer.AsSpan(offset, count));
        }

        return _endSeen ? 0 : Judge(Inner.Read(buffer, offset, count), count);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _waiting?.Cancel();

            // Without a wait the close_notify either leaves now or the stream cannot end cleanly.
            var torn = _writing;
            if (_tls is not null && !_writesCompleted && !torn && Volatile.Read(ref _ended) == 0)
            {
                torn = !CompleteWritesAsync().AsTask().IsCompletedSuccessfully;
            }

            End(reset: torn);
        }

        base.Dispose(disposing);
    }

    /// <summary>
    /// Of several awaits of one task, the runtime lets only the first go on in the thread that completes it, and wakes a thread of the pool for each of
    /// the rest. This one goes on in that thread too; what it gets the result of has completed, and blocks nobody.
    /// </summary>
    private static Task AlsoAsync(Task readable) =>
        readable.ContinueWith(
            static read => read.GetAwaiter().GetResult(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private int TakeUnread(Span<byte> buffer)
    {
        var taken = Math.Min(buffer.Length, _unread.Length);
        _unread.Span[..taken].CopyTo(buffer);
        _unread = _unread[taken..];
        return taken;
    }

    /// <summary>Tells the clean end of the stream, close_notify under TLS, from one that was cut off.</summary>
    private int Judge(int read, int asked)
    {
        if (read == 0 && asked > 0)
        {
            if (_tls is { Records.EndReached: true })
            {
                throw Cut("the TLS stream ended without close_notify");
            }

            // The system tells a reset once. When a write has been told, the read ends as if the peer had ended.
            if (!IsTls && Progress is { IsClosed: true } && !Volatile.Read(ref _writesCompleted))
            {
                throw Cut("the connection was reset");
            }

            _endSeen = true;
        }

        return read;
    }

    private void End(bool reset)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
        {
            return;
        }

        if (reset)
        {
            // Not a linger of zero and Dispose: with a read pending, Dispose sends FIN first, and a quick peer mistakes it for the end.
            _socket.Close(0);
        }
        else
        {
            _socket.Dispose();
        }

        _tls?.Dispose();
        _watch?.Remove(this);
        Interlocked.Exchange(ref _onClosed, Closed)?.Invoke();
    }
}
