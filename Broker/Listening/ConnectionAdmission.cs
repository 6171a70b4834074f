using System.IO.Pipelines;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using Whip.Hosting;
using Whip.Hosting.Listening;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Broker.Listening;

/// <summary>
/// What a control connection passes before Kestrel takes it for HTTP/2: the gate, a look at its first bytes and, on a TLS listener, the
/// handshake in its turn. What is refused is closed, with one log line that says why.
/// </summary>
internal sealed class ConnectionAdmission(
    TlsIdentity? tls, UnauthenticatedGate gate, WhipLimits limits, Action<string>? onRejected, ILogger logger, TimeProvider time)
{
    private const string Silent = "it sent nothing in time";

    private readonly HandshakeSlots _handshakes = new(limits.HandshakesPerCore * Environment.ProcessorCount, HandshakeSlots.ListenerTurn, time);
    private readonly string _serves = tls is null ? "gRPC without TLS" : "gRPC over TLS";

    /// <summary>Whether a peer may end its connection without a call, which is not worth a line in the log.</summary>
    public Func<PeerIdentity, bool> MayBeSilent { get; init; } = static _ => false;

    /// <summary>Puts all of it in front of a listener.</summary>
    public void Use(ListenOptions listen)
    {
        listen.Use(next => connection => RunAsync(connection, next));
        if (tls is not null)
        {
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = handshake => ValueTask.FromResult(tls.ServerOptions(PeerRole.Client, AdmittedConnection.Of(handshake.Connection.Features).Verdict)),
                HandshakeTimeout = limits.HandshakeTimeout,
            });
            listen.Use(next => connection => AuthenticatedAsync(connection, next));
        }
    }

    private async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        LegSocketOptions.Apply(connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket);
        var remote = Leg.Unmapped(connection.RemoteEndPoint!);
        var closing = connection.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().ConnectionClosedRequested;
        var admitted = new AdmittedConnection(remote, gate.Enter(() => Evict(connection, remote)));
        connection.Features.Set(admitted);
        try
        {
            await (await AdmitAsync(connection, admitted, next, closing));
        }
        catch (IOException)
        {
            admitted.Problem = "the connection broke before a call was made";
        }
        finally
        {
            var isOver = admitted.Entry.Leave() && !admitted.HasCalled;
            if (isOver && admitted.Problem is { } problem && (admitted.Passed.IsCompleted || !closing.IsCancellationRequested))
            {
                ListenerLog.Refused(logger, remote, problem);
                onRejected?.Invoke(problem == Silent ? "timeout" : "refused");
            }
        }
    }

    /// <summary>Up to HTTP/2, within the handshake timeout and only while the listener is not closing.</summary>
    /// <returns>The rest of the connection's life.</returns>
    private async Task<Task> AdmitAsync(ConnectionContext connection, AdmittedConnection admitted, ConnectionDelegate next, CancellationToken closing)
    {
        using var timeout = new CancellationTokenSource(limits.HandshakeTimeout, time);
        using var due = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, closing);
        try
        {
            admitted.Problem = Silent;
            var first = await FirstBytesReader.PeekAsync(connection.Transport.Input, due.Token);
            if (first != (tls is null ? FirstBytes.Http2 : FirstBytes.Tls))
            {
                admitted.Problem = await RefuseAsync(first, connection.Transport.Output, due.Token);
                return Task.CompletedTask;
            }

            if (tls is not null)
            {
                return await HandshakeAsync(connection, admitted, next, due.Token);
            }

            admitted.Pass("it ended without a call");
            return next(connection);
        }
        catch (OperationCanceledException)
        {
            return Task.CompletedTask;
        }
    }

    /// <summary>In its turn; Kestrel knows no reason to end it but its own timeout, so ending the connection ends it.</summary>
    private async Task<Task> HandshakeAsync(ConnectionContext connection, AdmittedConnection admitted, ConnectionDelegate next, CancellationToken due)
    {
        admitted.Problem = "the peer ended the connection during the TLS handshake";
        await using var cut = due.UnsafeRegister(
            _ =>
            {
                admitted.Problem = "the TLS handshake took too long";
                connection.Abort();
            },
            null);
        var serving = Task.CompletedTask;
        await _handshakes.RunAsync(admitted.Entry, () => Task.WhenAny(serving = next(connection), admitted.Passed), due);
        return serving;
    }

    private Task AuthenticatedAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var admitted = AdmittedConnection.Of(connection.Features);

        // A handshake that resumed a session without asking for a verdict has proven nothing.
        if (admitted.Peer is not { } peer)
        {
            admitted.Problem = "its certificate was not judged";
            return Task.CompletedTask;
        }

        var isQuiet = MayBeSilent(peer);
        if (connection.Features.Get<ITlsApplicationProtocolFeature>()?.ApplicationProtocol.Span.SequenceEqual("h2"u8) != true)
        {
            admitted.Problem = isQuiet ? null : "it does not say in its TLS handshake (ALPN) that it speaks HTTP/2, as gRPC does";
            return Task.CompletedTask;
        }

        admitted.Pass(isQuiet ? null : "it ended without a call; a peer that refuses the certificate of this broker may end so");
        return next(connection);
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
        ListenerLog.Evicted(logger, remote);
        onRejected?.Invoke("evicted");
        connection.Abort(new ConnectionAbortedException("evicted"));
    }
}

/// <summary>What the calls of a connection know of it, and it of them; a feature of the connection.</summary>
internal sealed class AdmittedConnection(IPEndPoint remoteEndPoint, UnauthenticatedGate.Entry entry)
{
    private readonly TaskCompletionSource _passed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IPEndPoint RemoteEndPoint => remoteEndPoint;

    public UnauthenticatedGate.Entry Entry => entry;

    /// <summary>Filled by the TLS handshake.</summary>
    public PeerVerdictHolder Verdict { get; } = new();

    /// <summary>The verified identity; null on a plain listener.</summary>
    public PeerIdentity? Peer => Verdict.Verdict?.Identity;

    /// <summary>Completes when Kestrel takes over.</summary>
    public Task Passed => _passed.Task;

    public bool HasCalled { get; set; }

    /// <summary>Why the connection was of no use, if it ends now without a call; null: it said nothing.</summary>
    public string? Problem
    {
        get => Verdict.Verdict is { IsTrusted: false } verdict ? verdict.Problem : field;
        set;
    }

    /// <summary>Of a connection, or of a request on it.</summary>
    public static AdmittedConnection Of(IFeatureCollection features) => features.GetRequiredFeature<AdmittedConnection>();

    public void Pass(string? problem)
    {
        Problem = problem;
        _passed.TrySetResult();
    }
}
