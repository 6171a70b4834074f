using System.Net;
using Whip.Hosting.Listening;
using Whip.Protocol.Legs;
using Whip.Proxy.Http;

namespace Whip.Proxy.Clients;

/// <summary>One accepted connection and the upstream connection that belongs to it.</summary>
internal sealed class ProxyClient(
    Leg leg, UnauthenticatedGate.Entry entry, ClientUpstream upstream, TimeProvider time, CancellationToken stopping) : IAsyncDisposable
{
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    public Leg Leg => leg;

    public ClientUpstream Upstream => upstream;

    public HttpStream Http { get; } = new(leg, leg);

    public IPEndPoint EndPoint => leg.RemoteEndPoint;

    /// <summary>A request of this connection was accepted: the connection leaves the gate of unauthenticated ones, which silent peers fill.</summary>
    public void Authenticated() => entry.Leave();

    /// <summary>Whether its connection stays open for another request. A proxy that stops says so in its last answer.</summary>
    public bool Keeps(ClientRequest request) => request.KeepsAlive && !stopping.IsCancellationRequested;

    /// <summary>
    /// Calls <paramref name="gone"/> when the client's connection breaks while it waits for its answer. An end of stream is not the end of the
    /// client: it may have sent all it has to say. A byte from the client, or <paramref name="answered"/>, ends the watch too.
    /// </summary>
    public async Task WatchAsync(Action gone, CancellationToken answered)
    {
        try
        {
            await Http.ReadAhead().WaitAsync(answered);
        }
        catch (OperationCanceledException)
        {
            // Answered.
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            gone();
        }
    }

    /// <summary>Sends the proxy's own answer. Returns whether the connection is open for another request.</summary>
    public async Task<bool> AnswerAsync(ProxyReply reply, string requestId, ClientRequest? request)
    {
        var keeps = request is { Framing.IsEmpty: true } && Keeps(request) && (reply.AsksForCredentials || !request.IsConnect);
        var bytes = reply.ToBytes(requestId, hasBody: request?.Method != "HEAD", keeps);
        if (keeps)
        {
            await Http.Output.WriteAsync(bytes);
        }
        else
        {
            await EndAsync(bytes);
        }

        return keeps;
    }

    /// <summary>
    /// Sends the last bytes and waits a moment for the client to end too: a close with bytes unread is a reset, and a reset can overtake the
    /// last bytes.
    /// </summary>
    public async Task EndAsync(ReadOnlyMemory<byte> lastBytes = default)
    {
        using var linger = new CancellationTokenSource(Linger, time);
        await using var registration = linger.Token.UnsafeRegister(static state => ((HttpStream)state!).CancelRead(), Http);
        try
        {
            await leg.WriteAsync(lastBytes, linger.Token);
            await leg.CompleteWritesAsync(linger.Token);
            for (var ended = false; !ended && !linger.IsCancellationRequested;)
            {
                var result = await Http.ReadAsync();
                Http.AdvanceTo(result.Buffer.End);
                ended = result.IsCompleted;
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The client ended first, or has stopped reading.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await upstream.EndAsync();
        await Http.EndAsync();
    }
}
