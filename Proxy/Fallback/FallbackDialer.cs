using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Whip.Protocol;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;

namespace Whip.Proxy.Fallback;

/// <summary>Connects directly to hosts whose name and domain the brokers do not know, and to addresses, which nobody can register.</summary>
internal sealed class FallbackDialer(IWhipDialer inner, FallbackAddresses addresses, TimeProvider time, ILogger logger) : IWhipDialer
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

    // Connects to the address that was checked: a second look-up could give another one.
    private async ValueTask<DialResult> ConnectAsync(DialRequest request, CancellationToken cancellationToken)
    {
        var reason = $"{request.Host} is unknown here and to DNS";
        var outcome = DialOutcome.NoSuchDomain;
        foreach (var address in await ResolveAsync(request.Host, cancellationToken))
        {
            if (!addresses.Permits(address))
            {
                FallbackLog.DirectRefused(logger, request.Host, address);
                (outcome, reason) = (DialOutcome.Denied, $"{request.Host} is unknown here and its address is not one to be reached directly");
                continue;
            }

            try
            {
                var leg = await Leg.ConnectAsync(new IPEndPoint(address, request.Port), cancellationToken, time);
                FallbackLog.WentDirect(logger, request.Host, address);
                return DialResult.Connected(leg);
            }
            catch (SocketException error)
            {
                (outcome, reason) = (DialOutcome.AgentFailed, $"{request.Host} is unknown here and cannot be reached directly: {error.SocketErrorCode}");
            }
        }

        return DialResult.Failed(outcome, reason);
    }

    private static async ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            return await Dns.GetHostAddressesAsync(host, cancellationToken);
        }
        catch (Exception error) when (error is SocketException or ArgumentException)
        {
            return [];
        }
    }
}
