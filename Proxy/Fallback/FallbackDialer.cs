using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Whip.Protocol;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;

namespace Whip.Proxy.Fallback;

/// <summary>Connects directly to hosts whose name and domain the brokers do not know, and to addresses, which nobody can register.</summary>
internal sealed class FallbackDialer(
    IWhipDialer inner, FallbackAddresses addresses, Connector connector, TimeProvider time, ILogger logger) : IWhipDialer
{
    public async ValueTask<DialResult> TryDialAsync(DialRequest request, CancellationToken cancellationToken = default)
    {
        if (!IPAddress.TryParse(request.Host, out _))
        {
            var dialled = await inner.TryDialAsync(request, cancellationToken);
            if (dialled.Outcome != DialOutcome.NoSuchDomain)
            {
                return dialled;
            }
        }

        using var deadline = new Deadline(request.Deadline, time, cancellationToken);
        try
        {
            return await ConnectAsync(request, deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return DialResult.Failed(DialOutcome.DeadlineExceeded, $"{request.Host} is unknown here and does not answer directly");
        }
    }

    // Connects to the addresses that were checked: a second look-up could give others.
    private async ValueTask<DialResult> ConnectAsync(DialRequest request, CancellationToken cancellationToken)
    {
        var known = await ResolveAsync(request.Host, cancellationToken);
        var permitted = known.Where(addresses.Permits).ToList();
        foreach (var address in known.Except(permitted))
        {
            FallbackLog.DirectRefused(logger, request.Host, address);
        }

        if (permitted.Count == 0)
        {
            return known.Count == 0
                ? DialResult.Failed(DialOutcome.NoSuchDomain, $"{request.Host} is unknown here and to DNS")
                : DialResult.Failed(DialOutcome.Denied, $"{request.Host} is unknown here and its address is not one to be reached directly");
        }

        try
        {
            var leg = await connector.ConnectAsync(permitted, request.Port, cancellationToken);
            FallbackLog.WentDirect(logger, request.Host, leg.RemoteEndPoint.Address);
            return DialResult.Connected(leg);
        }
        catch (SocketException error)
        {
            return DialResult.Failed(
                DialOutcome.AgentFailed, $"{request.Host} is unknown here and cannot be reached directly: {error.SocketErrorCode}");
        }
    }

    private async ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            return await connector.ResolveAsync(host, cancellationToken);
        }
        catch (SocketException)
        {
            return [];
        }
    }
}
