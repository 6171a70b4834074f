using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Whip.AspNetCore.Dials;

/// <summary>Where Kestrel accepts dials. It takes them at once, and every one of them has its place among the descriptors of the process.</summary>
internal sealed class DialListener(WhipEndPoint endPoint) : IConnectionListener
{
    private readonly Channel<DialConnection> _offered = Channel.CreateUnbounded<DialConnection>();

    public EndPoint EndPoint => endPoint;

    /// <summary>False: it has been unbound.</summary>
    public bool TryOffer(DialConnection connection) => _offered.Writer.TryWrite(connection);

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _offered.Reader.WaitToReadAsync(cancellationToken))
        {
            if (_offered.Reader.TryRead(out var connection))
            {
                return connection;
            }
        }

        return null;
    }

    /// <summary>Dials that were asked for before the agent has left its brokers are still accepted.</summary>
    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        await endPoint.Server.DetachAsync(cancellationToken);
        _offered.Writer.TryComplete();
    }

    public ValueTask DisposeAsync()
    {
        _offered.Writer.TryComplete();
        while (_offered.Reader.TryRead(out var connection))
        {
            connection.Abort();
        }

        return ValueTask.CompletedTask;
    }
}
