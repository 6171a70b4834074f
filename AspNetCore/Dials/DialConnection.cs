using System.Buffers;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Whip.AspNetCore.Dials;

/// <summary>A dial as Kestrel has a connection.</summary>
internal sealed class DialConnection : DefaultConnectionContext, IMemoryPoolFeature
{
    private readonly DialPipe _pipe;
    private readonly CancellationTokenSource _aborted = new();
    private readonly CancellationTokenSource _closed = new();

    public DialConnection(string id, WhipEndPoint endPoint, IWhipDialFeature dial, MemoryPool<byte> memory)
        : this(id, endPoint, dial, new DialPipe(memory), memory)
    {
    }

    private DialConnection(string id, WhipEndPoint endPoint, IWhipDialFeature dial, DialPipe pipe, MemoryPool<byte> memory)
        : base(id, pipe.App, application: pipe.App)
    {
        _pipe = pipe;
        MemoryPool = memory;
        LocalEndPoint = endPoint;
        ConnectionClosed = _closed.Token;
        Features.Set<IMemoryPoolFeature>(this);
        Features.Set(dial);
    }

    public MemoryPool<byte> MemoryPool { get; }

    /// <summary>The side of the dialer.</summary>
    public DialPipe Pipe => _pipe;

    /// <summary>The app resets the connection.</summary>
    public CancellationToken Aborted => _aborted.Token;

    public override void Abort(ConnectionAbortedException abortReason) => _aborted.Cancel();

    /// <summary>
    /// Nothing can be read or written any more. That is not so when only the dialer's direction has ended, although a connection of sockets says it then:
    /// Kestrel answers what was asked.
    /// </summary>
    public Task CloseAsync() => _closed.CancelAsync();

    /// <summary>The app has no part in it any more. What it has written is still sent.</summary>
    public override async ValueTask DisposeAsync()
    {
        await _pipe.App.Input.CompleteAsync();
        await _pipe.App.Output.CompleteAsync();
        await base.DisposeAsync();
    }
}
