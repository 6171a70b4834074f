using System.Net.Security;
using System.Security.Authentication;
using Whip.Protocol;
using Whip.Protocol.Dialing;
using Whip.Protocol.Tls;
using Whip.Proxy.Http;

namespace Whip.Proxy.Clients;

/// <summary>
/// The one upstream connection of a client's connection: dialled for a request, kept for the client's next one to the same name, port and
/// scheme, and ended with the client's. No other client uses it, so a login that belongs to a connection (NTLM, Negotiate) stays with the
/// client that made it. Owner: the task that serves the client.
/// </summary>
/// <param name="dialer">Makes it.</param>
/// <param name="targetCas">Of a target that speaks TLS.</param>
/// <param name="dialDeadline">For the dial, and for the handshake.</param>
/// <param name="time">Measures it.</param>
internal sealed class ClientUpstream(IWhipDialer dialer, TargetCas targetCas, TimeSpan dialDeadline, TimeProvider time)
{
    // An idle connection holds a relay at a broker and delays the agent's drain; a page's requests follow each other faster than this.
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(5);

    private HttpStream? _http;
    private ForwardTarget? _target;
    private long _idleSince;

    /// <summary>The connection that <see cref="TryReuse"/> or <see cref="DialAsync"/> made ready.</summary>
    public HttpStream Http => _http ?? throw new InvalidOperationException("the client has no upstream connection");

    /// <summary>It has carried an exchange before: the upstream may end it just as the next request is sent.</summary>
    public bool IsReused { get; private set; }

    /// <summary>Whether the kept connection leads to <paramref name="target"/> and is still open.</summary>
    public bool TryReuse(ForwardTarget target) =>
        IsReused = _http is { Ahead.IsCompleted: false } && target.HasUpstreamOf(_target!);

    /// <summary>Ends the present connection and makes a new one. Null when connected; otherwise the dial's failure.</summary>
    public async Task<DialResult?> DialAsync(ForwardTarget target, CancellationToken cancellationToken)
    {
        await EndAsync();
        var dialled = await dialer.TryDialAsync(target.Dial with { Deadline = dialDeadline }, cancellationToken);
        if (!dialled.IsConnected)
        {
            return dialled;
        }

        Stream stream = dialled.Stream;
        if (target.IsTls)
        {
            var tls = new SslStream(stream);
            using var deadline = new Deadline(dialDeadline, time, cancellationToken);
            try
            {
                var options = new SslClientAuthenticationOptions
                {
                    TargetHost = target.Dial.Host,
                    CertificateChainPolicy = targetCas.Current is { } cas ? PeerVerifier.ChainPolicy(cas, []) : null,
                };
                await tls.AuthenticateAsClientAsync(options, deadline.Token);
                stream = tls;
            }
            catch (Exception error) when (error is AuthenticationException or IOException or OperationCanceledException)
            {
                dialled.Stream.Abort();
                await tls.DisposeAsync();
                cancellationToken.ThrowIfCancellationRequested();
                return DialResult.Failed(DialOutcome.AgentFailed, $"TLS with {target.Name} failed: {error.Message}");
            }
        }

        _http = new HttpStream(dialled.Stream, stream);
        _target = target;
        return null;
    }

    /// <summary>The exchange has ended: keeps the connection for the next request, or ends it.</summary>
    public async ValueTask ReleaseAsync(bool keep)
    {
        if (!keep)
        {
            await EndAsync();
            return;
        }

        _idleSince = time.GetTimestamp();

        // Completes when the upstream ends the connection or sends unrequested bytes.
        _ = Http.ReadAhead();
    }

    /// <summary>
    /// Ends an idle connection when its time has passed or when the upstream does, and calls <paramref name="ended"/> in the second case.
    /// <paramref name="requested"/> ends the watch.
    /// </summary>
    public async Task WatchIdleAsync(Action ended, CancellationToken requested)
    {
        if (_http is null)
        {
            return;
        }

        var hasEnded = false;
        try
        {
            var remaining = IdleTimeout - time.GetElapsedTime(_idleSince);
            var read = await _http.ReadAhead().WaitAsync(remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero, time, requested);
            hasEnded = read.IsCompleted;
        }
        catch (OperationCanceledException)
        {
            return;
        }
        catch (TimeoutException)
        {
            // Idle for too long: the client's connection stays.
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            hasEnded = true;
        }

        await EndAsync();
        if (hasEnded)
        {
            ended();
        }
    }

    /// <summary>Ends the connection if there is one; another may be dialled.</summary>
    public async ValueTask EndAsync()
    {
        if (_http is { } http)
        {
            _http = null;
            await http.EndAsync();
        }
    }
}
