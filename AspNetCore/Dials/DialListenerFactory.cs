using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Whip.AspNetCore.Dials;

/// <summary>Gives Kestrel its connections at a <see cref="WhipEndPoint"/>; those at other end points are others' to give.</summary>
internal sealed class DialListenerFactory(IOptions<KestrelServerOptions> options, IMemoryPoolFactory<byte> memory)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is WhipEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        ((WhipEndPoint)endpoint).Server.BindAsync((WhipEndPoint)endpoint, options.Value.Limits.KeepAliveTimeout, memory, cancellationToken);
}
