using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Whip.Hosting.Listening;
using Whip.Protocol.Grpc;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Hosting.Grpc;

/// <summary>
/// What a connection passes before Kestrel sees it as HTTP/2: the gate, a look at its first bytes and, on a TLS listener, the
/// handshake. What is refused is closed, with one log line that says why.
/// </summary>
internal sealed class ConnectionAdmission(ControlServerOptions options, ILogger logger)
{
    private const string Silent = "it sent nothing in time";

    private readonly HandshakeSlots _handshakes = new(options.Handshakes, HandshakeSlots.ListenerTurn, TimeProvider.System);
    private readonly string _serves = options.Tls is null ? "gRPC without TLS" : "gRPC over TLS";

    public async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        LegSocketOptions.Apply(connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket);
        var remote = Leg.Unmapped(connection.RemoteEndPoint!);
        var entry = options.Gate.Enter(() => Evict(connection, remote));
        string? problem = null;
        try
        {
            problem = await ServeAsync(connection, new AdmittedConnection(remote, entry), next);
        }
        catch (IOException)
        {
            problem = "the connection broke before a call was made";
        }
        finally
        {
            if (entry.Leave() && problem is not null)
            {
                ControlServerLog.Refused(logger, remote, problem);
                options.OnRejected?.Invoke(problem == Silent ? "timeout" : "refused");
            }
        }
    }

    /// <returns>Why the connection never came to a call; null when it did, or went without a word.</returns>
    private async Task<string?> ServeAsync(ConnectionContext connection, AdmittedConnection admitted, ConnectionDelegate next)
    {
        var closing = connection.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().ConnectionClosedRequested;
        using var due = CancellationTokenSource.CreateLinkedTokenSource(closing);
        due.CancelAfter(options.HandshakeTimeout);
        try
        {
            var first = await FirstBytesReader.PeekAsync(connection.Transport.Input, due.Token);
            if (first != (options.Tls is null ? FirstBytes.Http2 : FirstBytes.Tls))
            {
                return await RefuseAsync(first, connection.Transport.Output, due.Token);
            }
        }
        catch (OperationCanceledException)
        {
            return closing.IsCancellationRequested ? null : Silent;
        }

        connection.Features.Set(admitted);
        if (options.Tls is null)
        {
            await next(connection);
        }
        else if (await ServeTlsAsync(connection, admitted, options.Tls, next, due.Token) is { } problem)
        {
            return closing.IsCancellationRequested ? null : problem;
        }

        return admitted.HasCalled ? null
            : options.Tls is null ? "it ended without a call"
            : "it ended without a call; a peer that refuses our certificate may end so";
    }

    private async Task<string?> ServeTlsAsync(
        ConnectionContext connection, AdmittedConnection admitted, TlsIdentity identity, ConnectionDelegate next, CancellationToken due)
    {
        var holder = new PeerVerdictHolder();
        var encrypted = connection.Transport;
        var stream = new ControlTls(new DuplexStream(encrypted));
        try
        {
            var tlsOptions = identity.ServerOptions(PeerRole.Client, holder);
            tlsOptions.ApplicationProtocols = [SslApplicationProtocol.Http2];
            await _handshakes.RunAsync(admitted.Entry, () => stream.AuthenticateAsServerAsync(tlsOptions, due), due);
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException or OperationCanceledException)
        {
            await stream.DisposeAsync();
            return HandshakeProblem.Describe(holder, exception);
        }

        await using var tls = new TlsTransport(stream);
        if (holder.Verdict?.Identity is not { } peer)
        {
            return "its certificate was not judged";
        }

        admitted.Peer = peer;
        connection.Transport = tls;
        try
        {
            await next(connection);
            return null;
        }
        finally
        {
            connection.Transport = encrypted;
        }
    }

    private async ValueTask<string?> RefuseAsync(FirstBytes first, PipeWriter output, CancellationToken cancellationToken)
    {
        switch (first)
        {
            case FirstBytes.None:
                return null;
            case FirstBytes.Http1:
                var hint = $"this port serves {_serves}; dials go to the port of --dial-listen, metrics to that of --metrics-listen\n";
                var head = $"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {hint.Length}\r\nConnection: close\r\n\r\n";
                await output.WriteAsync(Encoding.ASCII.GetBytes(head + hint), cancellationToken);
                return $"it speaks HTTP/1, and this port serves {_serves}";
            case FirstBytes.Tls:
                return "it speaks TLS, and this broker runs with --tls=false";
            case FirstBytes.Http2:
                return "it speaks gRPC without TLS, and this broker wants TLS";
            default:
                return $"what it sent is not {_serves}";
        }
    }

    private void Evict(ConnectionContext connection, IPEndPoint remote)
    {
        ControlServerLog.Evicted(logger, remote);
        options.OnRejected?.Invoke("evicted");
        connection.Abort(new ConnectionAbortedException("evicted"));
    }
}
