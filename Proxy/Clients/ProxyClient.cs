using System.Net;
using Whip.Hosting.Listening;
using Whip.Protocol.Legs;
using Whip.Proxy.Http;
using Whip.Proxy.Upstream;

namespace Whip.Proxy.Clients;

/// <summary>One accepted connection and the upstream connection that belongs to it.</summary>
internal sealed class ProxyClient(
    Leg leg, UnauthenticatedGate.Entry entry, ClientUpstream upstream, TimeProvider time, CancellationToken stopping) : IAsyncDisposable
{
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan HalfClosedPatience = TimeSpan.FromSeconds(5);

    public Leg Leg => leg;

    public ClientUpstream Upstream => upstream;

    public HttpStream Http { get; } = new(leg, leg);

    public IPEndPoint EndPoint { get; } = Plain(leg.RemoteEndPoint);

    /// <summary>A request of this connection was accepted: it is no longer one of those that silent peers push out.</summary>
    public void Authenticated() => entry.Leave();

    /// <summary>Whether its connection stays open for another request. A proxy that stops says so in its last answer.</summary>
    public bool Keeps(ClientRequest request) => request.KeepsAlive && !stopping.IsCancellationRequested;

    /// <summary>
    /// Calls <paramref name="gone"/> when the client ends while it waits for its answer. One that has only sent its last byte may
    /// wait all the same: time tells. A byte from the client, or <paramref name="answered"/>, ends the watch.
    /// </summary>
    public async Task WatchAsync(Action gone, CancellationToken answered)
    {
        try
        {
            var result = await Http.ReadAhead().WaitAsync(answered);
            if (!result.IsCompleted || !result.Buffer.IsEmpty)
            {
                return;
            }

            await Task.Delay(HalfClosedPatience, time, answered);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // Reset.
        }

        gone();
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
    /// Says the last word and waits a moment for the client to end too: closing beside unread bytes is a reset, and a reset can
    /// overtake the last word.
    /// </summary>
    public async Task EndAsync(ReadOnlyMemory<byte> lastWord = default)
    {
        using var patience = new CancellationTokenSource(Linger, time);
        await using var registration = patience.Token.UnsafeRegister(static state => ((HttpStream)state!).CancelRead(), Http);
        try
        {
            await leg.WriteAsync(lastWord, patience.Token);
            await leg.CompleteWritesAsync(patience.Token);
            for (var ended = false; !ended && !patience.IsCancellationRequested;)
            {
                var result = await Http.ReadAsync();
                Http.AdvanceTo(result.Buffer.End);
                ended = result.IsCompleted;
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // It ended first, or reads no more.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await upstream.EndAsync();
        await Http.EndAsync();
    }

    private static IPEndPoint Plain(IPEndPoint end) =>
        end.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(end.Address.MapToIPv4(), end.Port) : end;
}
