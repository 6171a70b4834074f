using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Whip.Hosting.Listening;

/// <summary>A connection of <see cref="GatedTransport"/>: it leaves its gate and returns its place when its socket is closed.</summary>
internal sealed class GatedConnection(ConnectionContext inner, DescriptorBudget descriptors) : ConnectionContext
{
    private UnauthenticatedGate.Entry? _entry;
    private int _isReturned;

    public override string ConnectionId
    {
        get => inner.ConnectionId;
        set => inner.ConnectionId = value;
    }

    public override IFeatureCollection Features => inner.Features;

    public override IDictionary<object, object?> Items
    {
        get => inner.Items;
        set => inner.Items = value;
    }

    public override IDuplexPipe Transport
    {
        get => inner.Transport;
        set => inner.Transport = value;
    }

    public override CancellationToken ConnectionClosed
    {
        get => inner.ConnectionClosed;
        set => inner.ConnectionClosed = value;
    }

    public override EndPoint? LocalEndPoint
    {
        get => inner.LocalEndPoint;
        set => inner.LocalEndPoint = value;
    }

    public override EndPoint? RemoteEndPoint
    {
        get => inner.RemoteEndPoint;
        set => inner.RemoteEndPoint = value;
    }

    /// <summary>An eviction closes the socket before it returns.</summary>
    public void Enter(UnauthenticatedGate gate, Action evicted)
    {
        _entry = gate.Enter(() =>
        {
            evicted();
            Abort(new ConnectionAbortedException("evicted"));
            ReturnPlace();
        });
        Features.Set(_entry);
    }

    public override void Abort(ConnectionAbortedException abortReason) => inner.Abort(abortReason);

    public override void Abort() => inner.Abort();

    public override async ValueTask DisposeAsync()
    {
        _entry?.Leave();
        await inner.DisposeAsync();
        await base.DisposeAsync();
        ReturnPlace();
    }

    private void ReturnPlace()
    {
        if (Interlocked.Exchange(ref _isReturned, 1) == 0)
        {
            descriptors.Return();
        }
    }
}
