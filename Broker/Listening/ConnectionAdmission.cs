using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Whip.Broker.Listening;

/// <summary>
/// Kestrel connection middleware in front of HTTP/2: the gate, a check of the first bytes and, on a TLS listener, the handshake, of which a
/// limited number run at once. A refused connection is closed, and one log line says why.
/// </summary>
internal sealed class ConnectionAdmission(
    TlsIdentity? tls, UnauthenticatedGate gate, DescriptorBudget descriptors, WhipLimits limits, Action<string>? onRejected, ILoggerFactory loggers,
    TimeProvider time)
{
    /// <summary>The name of the listener in logs and metrics.</summary>
    public const string Name = "grpc";

    private const string Silent = "it sent nothing in time";
    private const string NoAlpn = "it does not say in its TLS handshake (ALPN) that it speaks HTTP/2, as gRPC does";

    private readonly ILogger _logger = loggers.CreateLogger<ConnectionAdmission>();
    private readonly LogRations _refusals = new(loggers.CreateLogger<ConnectionAdmission>(), time);
    private readonly HandshakeSlots _handshakes = HandshakeSlots.OfListener(limits, descriptors, time);
    private readonly string _serves = tls is null ? "gRPC without TLS" : "gRPC over TLS";

    /// <summary>How those who do not belong here are told of it.</summary>
    public PortKind Port { get; init; } = new(Name, "the grpc port of a broker (--grpc-listen)", Visitor.Agent);

    /// <summary>What Kestrel has to accept with.</summary>
    public GatedTransport Transport { get; } = new(Name, gate, descriptors, () => onRejected?.Invoke("evicted"), loggers, time);

    /// <summary>Whether a peer may end its connection without a call; then nothing is logged.</summary>
    public Func<PeerIdentity, bool> MayBeSilent { get; init; } = static _ => false;

    public void Use(ListenOptions listen)
    {
        listen.Use(next => connection => RunAsync(connection, next));
        if (tls is not null)
        {
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = handshake => ValueTask.FromResult(ServerOptions(tls, AdmittedConnection.Of(handshake.Connection.Features).Verdict)),
                HandshakeTimeout = limits.HandshakeTimeout,
            });
            listen.Use(next => connection => AuthenticatedAsync(connection, next));
        }
    }

    private async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        try
        {
            LegSocketOptions.Apply(connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket);
        }
        catch (ObjectDisposedException)
        {
            // It was evicted at once.
            return;
        }

        var remote = Leg.Unmapped(connection.RemoteEndPoint!);
        var closing = connection.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().ConnectionClosedRequested;
        var admitted = new AdmittedConnection(remote, connection.Features.GetRequiredFeature<UnauthenticatedGate.Entry>());
        connection.Features.Set(admitted);
        try
        {
            await (await AdmitAsync(connection, admitted, next, closing));
        }
        catch (IOException)
        {
            admitted.Problem = "the connection broke before a call was made";
        }
        catch (Exception error) when (tls is not null && !admitted.Passed.IsCompleted && error is not OperationCanceledException)
        {
            // Over bytes that are no TLS, SslStream fails with exceptions of many types.
            admitted.Problem = $"what it sent is not {_serves}";
        }
        finally
        {
            var isUnused = admitted.Entry.Leave() && !admitted.HasCalled;
            if (isUnused && admitted.Problem is { } problem && (admitted.Passed.IsCompleted || !closing.IsCancellationRequested))
            {
                if (_refusals.Take(Name))
                {
                    ListenerLog.Refused(_logger, remote, problem);
                }

                onRejected?.Invoke(problem == Silent ? "timeout" : "refused");
            }
        }
    }

    /// <summary>Everything before HTTP/2, within the handshake timeout and while the listener is open.</summary>
    /// <returns>The rest of the connection.</returns>
    private async Task<Task> AdmitAsync(ConnectionContext connection, AdmittedConnection admitted, ConnectionDelegate next, CancellationToken closing)
    {
        using var deadline = new Deadline(limits.HandshakeTimeout, time, closing);
        admitted.Deadline = deadline.Token;
        try
        {
            admitted.Problem = Silent;
            var first = await FirstBytesReader.PeekAsync(connection.Transport.Input, deadline.Token);
            if (first != (tls is null ? FirstBytes.Http2 : FirstBytes.Tls))
            {
                admitted.Problem = await RefuseAsync(first, connection, deadline.Token);
                return Task.CompletedTask;
            }

            if (tls is not null)
            {
                return await HandshakeAsync(connection, admitted, next, deadline.Token);
            }

            admitted.Pass("it ended without a call");
            return next(connection);
        }
        catch (OperationCanceledException)
        {
            return Task.CompletedTask;
        }
    }

    /// <summary>Kestrel ends a handshake only by its own timeout, so that the connection is aborted to end it earlier.</summary>
    private async Task<Task> HandshakeAsync(ConnectionContext connection, AdmittedConnection admitted, ConnectionDelegate next, CancellationToken deadline)
    {
        admitted.Problem = "the peer ended the connection during the TLS handshake";
        await using var cut = deadline.UnsafeRegister(
            _ =>
            {
                admitted.Problem = "the TLS handshake took too long";
                connection.Abort();
            },
            null);
        var serving = Task.CompletedTask;
        await _handshakes.RunAsync(admitted.Entry, () => Task.WhenAny(serving = next(connection), admitted.Passed), deadline);
        return serving;
    }

    /// <summary>A client of HTTP/1 is let through the handshake, to be told where it is.</summary>
    private static SslServerAuthenticationOptions ServerOptions(TlsIdentity identity, PeerVerdictHolder verdict)
    {
        var options = identity.ServerOptions(PeerRole.Client, verdict);
        options.ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];
        return options;
    }

    private Task AuthenticatedAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var admitted = AdmittedConnection.Of(connection.Features);

        // A handshake that resumed a session, and so did not verify the certificate, proves nothing.
        if (admitted.Peer is not { } peer)
        {
            admitted.Problem = "its certificate was not judged";
            return Task.CompletedTask;
        }

        var maySayNothing = MayBeSilent(peer);
        if (connection.Features.Get<ITlsApplicationProtocolFeature>()?.ApplicationProtocol.Span.SequenceEqual("h2"u8) != true)
        {
            admitted.Problem = maySayNothing ? null : NoAlpn;
            return maySayNothing ? Task.CompletedTask : ExplainAsync(connection, admitted);
        }

        admitted.Pass(maySayNothing ? null : "it ended without a call; a peer that refuses the certificate of this broker may end so");
        return next(connection);
    }

    /// <summary>The peer is authenticated, and no agent: what it sends tells where it belongs.</summary>
    private async Task ExplainAsync(ConnectionContext connection, AdmittedConnection admitted)
    {
        var problem = NoAlpn;
        try
        {
            var visitor = await WrongPort.LookAsync(connection.Transport.Input, Port, admitted.Deadline);
            problem = $"{NoAlpn}: {Port.Reason(visitor)}";
            await WrongPort.TellAsync(connection, visitor, Port.Hint(visitor), admitted.Deadline);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // It says nothing, or has gone.
        }

        admitted.Problem = problem;
    }

    private async ValueTask<string?> RefuseAsync(FirstBytes first, ConnectionContext connection, CancellationToken cancellationToken)
    {
        switch (first)
        {
            case FirstBytes.None:
                return null;
            case FirstBytes.Tls:
                return "it speaks TLS, and this broker runs with --tls=false";
            case FirstBytes.Other:
                return $"what it sent is not {_serves}";
        }

        var visitor = await WrongPort.LookAsync(connection.Transport.Input, Port, cancellationToken);
        try
        {
            await WrongPort.TellAsync(connection, visitor, Port.Hint(visitor, wantsTls: tls is not null), cancellationToken);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // It has gone, or does not close its side.
        }

        return first == FirstBytes.Http2 ? "it speaks gRPC without TLS, and this broker wants TLS"
            : first == FirstBytes.Leg ? $"what it sent is not {_serves}: {Port.Reason(visitor)}"
            : $"{Port.Reason(visitor)}: this port serves {_serves}";
    }
}

/// <summary>What a connection and its calls know of each other; a feature of the connection.</summary>
internal sealed class AdmittedConnection(IPEndPoint remoteEndPoint, UnauthenticatedGate.Entry entry)
{
    private readonly TaskCompletionSource _passed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IPEndPoint RemoteEndPoint => remoteEndPoint;

    public UnauthenticatedGate.Entry Entry => entry;

    /// <summary>For everything before HTTP/2.</summary>
    public CancellationToken Deadline { get; set; }

    /// <summary>Filled by the TLS handshake.</summary>
    public PeerVerdictHolder Verdict { get; } = new();

    /// <summary>The verified identity; null on a plain listener.</summary>
    public PeerIdentity? Peer => Verdict.Verdict?.Identity;

    /// <summary>Completes when Kestrel takes over.</summary>
    public Task Passed => _passed.Task;

    public bool HasCalled { get; set; }

    /// <summary>What to log if the connection ends now without a call; null for nothing.</summary>
    public string? Problem
    {
        get => Verdict.Verdict is { IsTrusted: false } verdict ? verdict.Problem : field;
        set;
    }

    public static AdmittedConnection Of(IFeatureCollection features) => features.GetRequiredFeature<AdmittedConnection>();

    public void Pass(string? problem)
    {
        Problem = problem;
        _passed.TrySetResult();
    }
}
