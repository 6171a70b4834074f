using System.Net;
using System.Net.Sockets;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;

namespace Whip.Broker.Peers;

/// <summary>Opens the call of a link.</summary>
internal static class PeerDialer
{
    /// <summary>For one address: the connection, and then the greeting.</summary>
    private static readonly TimeSpan StepTimeout = TimeSpan.FromSeconds(2);

    /// <summary>A call that is past its greeting, at the first address that leads to the broker.</summary>
    /// <exception cref="GrpcStatusException">None does; the status is the last one's.</exception>
    public static async Task<(ControlCall<PeerRequest, PeerReply> Call, byte[] Process)> OpenAsync(
        ClusterCredentials self, string brokerId, string externalGrpc, TimeProvider time, CancellationToken cancellationToken)
    {
        GrpcStatusException? failure = null;
        foreach (var address in await ResolveAsync(externalGrpc, time, cancellationToken))
        {
            try
            {
                return await OpenAsync(self, brokerId, address, externalGrpc, time, cancellationToken);
            }
            catch (GrpcStatusException error)
            {
                failure = error;
            }
        }

        throw failure ?? Unavailable($"{externalGrpc} has no address");
    }

    /// <summary>The same at one address.</summary>
    public static async Task<(ControlCall<PeerRequest, PeerReply> Call, byte[] Process)> OpenAsync(
        ClusterCredentials self, string brokerId, IPEndPoint address, string externalGrpc, TimeProvider time, CancellationToken cancellationToken)
    {
        var options = new ControlCallOptions(address, externalGrpc, self.Tls, StepTimeout);
        var call = await ControlCall<PeerRequest, PeerReply>.OpenAsync(GrpcMethods.Link, options, cancellationToken);
        try
        {
            using var timeout = new CancellationTokenSource(StepTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            return (call, await PeerGreeting.OpenAsync(call, self, brokerId, either.Token));
        }
        catch (Exception error)
        {
            await call.DisposeAsync();
            throw error is OperationCanceledException && !cancellationToken.IsCancellationRequested
                ? Unavailable($"no greeting within {StepTimeout.TotalSeconds:0} s")
                : error;
        }
    }

    /// <exception cref="GrpcStatusException">Unavailable: it does not resolve.</exception>
    public static async Task<IEnumerable<IPEndPoint>> ResolveAsync(string hostPort, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!HostPort.TryParse(hostPort, out var host, out var port))
        {
            throw Unavailable($"{Printable.Clean(hostPort)} is not a HOST:PORT");
        }

        try
        {
            var addresses = await Dns.GetHostAddressesAsync(host, cancellationToken).WaitAsync(StepTimeout, time, cancellationToken);
            return addresses.Select(address => new IPEndPoint(address, port));
        }
        catch (Exception error) when (error is SocketException or TimeoutException or ArgumentException)
        {
            throw Unavailable($"{Printable.Clean(host)} does not resolve: {Printable.Clean(error.Message)}");
        }
    }

    private static GrpcStatusException Unavailable(string problem) => new(new GrpcStatus(GrpcStatusCode.Unavailable, problem));
}
