using System.Buffers;
using Whip.Protocol.Connect;
using Whip.Protocol.Legs;
using Whip.Protocol.Options;
using Whip.Proxy.Clients;
using Whip.Proxy.Http;

namespace Whip.Proxy.Requests;

/// <summary>One request and its answer over one upstream connection, both bodies at the same time.</summary>
internal sealed class Exchange(
    ProxyClient client, ClientRequest request, WhipProxyOptions options, Action<int> answered, RelayContext relays, TimeProvider time)
{
    // Four times the limit for a client's head.
    private const int MaxHead = 128 * 1024;

    // Of all interim answers: room for hints and hundreds of signs of life, none for an answer without end.
    private const int MaxInterim = 64 * 1024;

    private static readonly TimeSpan RestOfBodyTimeout = TimeSpan.FromSeconds(1);

    private readonly HttpStream _upstream = client.Upstream.Http;
    private readonly BodyCopy _up = new(client.Http, client.Upstream.Http.Output, request.Framing.IsChunked, time)
    {
        ReadTimeout = options.RequestBodyTimeout,
        WriteTimeout = options.AnswerTimeout,
    };

    private BodyCopy? _down;
    private bool _clientGone;
    private bool _heard;
    private HttpFormatException? _clientFault;
    private HttpFormatException? _upstreamFault;

    /// <summary>All of the answer was passed on.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>The connection to the client may carry another exchange.</summary>
    public bool KeepsClient { get; private set; }

    /// <summary>The connection to the upstream may carry another exchange.</summary>
    public bool KeepsUpstream { get; private set; }

    /// <summary>
    /// The upstream ended its used connection instead of answering, as a service may at any time. The client's connection ends in the same
    /// way, so that the client decides, as it would at the service, whether it sends the request again.
    /// </summary>
    public bool IsUnanswered { get; private set; }

    /// <summary>Null if an answer was passed on, whole or not, or if the client gets none; otherwise what to answer.</summary>
    public async Task<ProxyReply?> RunAsync(ForwardTarget target, string requestId, CancellationToken cut)
    {
        await using var registration = cut.UnsafeRegister(static state => ((HttpStream)state!).Abort(), _upstream);
        using var done = new CancellationTokenSource();
        var sending = Task.FromResult(false);
        var watching = Task.CompletedTask;
        try
        {
            _upstream.Output.Write(request.ToUpstream(target, requestId, client.EndPoint.Address));
            await _upstream.Output.FlushAsync(CancellationToken.None);
            sending = SendAsync();
            watching = WatchAsync(sending, done.Token);
            var head = await ReadHeadAsync(sending);
            answered(head.Status);
            await PassOnAsync(head, requestId);
            IsComplete = true;
            if (head.IsUpgrade)
            {
                await done.CancelAsync();
                await watching;
                await Relay.RunAsync(client.Http.AsUpgraded(), _upstream.AsUpgraded(), relays, cut);
            }

            KeepsUpstream = await FinishAsync(sending) && head.KeepsAlive;
            return null;
        }
        catch (Exception error) when (IsExpected(error))
        {
            KeepsClient = false;
            _upstream.Abort();
            return Explain(error, target);
        }
        finally
        {
            await done.CancelAsync();
            await StopSendingAsync(sending);
            await watching;
        }
    }

    private static bool IsExpected(Exception error) =>
        error is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException or TimeoutException;

    // Interim answers are passed on, for the client may wait for its 100; a client of HTTP/1.0 does not know them.
    private async Task<ResponseHead> ReadHeadAsync(Task sending)
    {
        for (var room = MaxInterim; room >= 0;)
        {
            var text = await ReadTextAsync(sending) ?? throw new IOException("it ended the connection before it answered");
            var head = new ResponseHead(text, request.Method);
            _heard = true;
            if (head.IsUpgrade && !(head.SwitchesTo(request.Upgrades) && _up.IsRead))
            {
                throw new HttpFormatException("it switched to a protocol that was not asked for, or before it had the whole request");
            }

            if (!head.IsInterim)
            {
                return head;
            }

            room -= text.Length;
            if (!request.IsHttp10 && room >= 0)
            {
                var builder = new HeadBuilder();
                head.CopyTo(builder);
                await client.Http.Output.WriteAsync(builder.ToBytes());
            }
        }

        throw new HttpFormatException($"its interim answers are longer than {MaxInterim} bytes");
    }

    // The time counts from the end of the request, and anew after each interim answer.
    private async Task<HeadText?> ReadTextAsync(Task sending)
    {
        var reading = _upstream.ReadHeadAsync(MaxHead, isForeign: true).AsTask();
        await Task.WhenAny(reading, sending);
        try
        {
            return await reading.WaitAsync(options.AnswerTimeout, time);
        }
        catch (TimeoutException)
        {
            _upstream.Abort();
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw new HttpFormatException($"it did not answer for {GoDuration.Format(options.AnswerTimeout)}", status: 504);
        }
    }

    private async Task PassOnAsync(ResponseHead head, string requestId)
    {
        _up.MayPause = true;
        var hasNoLength = head.Framing.Length is null;
        var isChunked = hasNoLength && !request.IsHttp10;
        KeepsClient = client.Keeps(request) && _up.IsRead && (isChunked || !hasNoLength) && !head.IsUpgrade;
        var builder = new HeadBuilder();
        head.CopyTo(builder);
        builder.Field(RequestId.Header, requestId);
        if (isChunked)
        {
            builder.Field("Transfer-Encoding", "chunked");
        }
        else if (head.Framing.Length is > 0 and var length)
        {
            builder.Field("Content-Length", $"{length}");
        }

        if (!KeepsClient && !head.IsUpgrade)
        {
            builder.Field("Connection", "close");
        }

        _down = new BodyCopy(_upstream, client.Http.Output, isChunked, time) { ReadTimeout = options.AnswerIdleTimeout };
        client.Http.Output.Write(builder.ToBytes());
        await _down.RunAsync(head.Framing);
    }

    // True: the upstream has all of the request. An upstream that stops reading may have answered why, so its answer decides.
    private async Task<bool> SendAsync()
    {
        try
        {
            await _up.RunAsync(request.Framing);
            return true;
        }
        catch (Exception error) when (IsExpected(error))
        {
            BlameForBody(error);
            return false;
        }
    }

    private void BlameForBody(Exception error)
    {
        if (error is TimeoutException)
        {
            _upstreamFault = new HttpFormatException($"it took nothing of the request for {GoDuration.Format(options.AnswerTimeout)}", status: 504);
        }
        else if (error is HttpFormatException { Status: 408 } && request.AwaitsContinue && !_heard)
        {
            _upstreamFault = new HttpFormatException($"neither 100 nor an answer came for {GoDuration.Format(options.RequestBodyTimeout)}", status: 504);
        }
        else if (!_up.IsWriting && error is not OperationCanceledException)
        {
            _clientGone = true;
            _clientFault = error as HttpFormatException;
        }
        else
        {
            return;
        }

        _upstream.Abort();
    }

    private async Task WatchAsync(Task<bool> sending, CancellationToken done)
    {
        if (await sending)
        {
            await client.WatchAsync(() =>
            {
                _clientGone = true;
                _upstream.Abort();
            }, done);
        }
    }

    // The answer is complete: the rest of the request's body is waited for a moment and is of no interest after that.
    private async Task<bool> FinishAsync(Task<bool> sending)
    {
        await ((Task)sending).WaitAsync(RestOfBodyTimeout, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return sending.IsCompleted && await sending;
    }

    private async Task StopSendingAsync(Task<bool> sending)
    {
        if (!sending.IsCompleted)
        {
            KeepsClient = false;
            _upstream.Abort();
            client.Http.CancelRead();
        }

        await sending;
    }

    private ProxyReply? Explain(Exception error, ForwardTarget target)
    {
        if (_down is { HasSent: true })
        {
            return null;
        }

        client.Http.DropUnsent();
        if (_clientFault is { } fault)
        {
            return new ProxyReply(fault.Status, $"the request's body cannot be read: {fault.Message}");
        }

        error = _upstreamFault ?? error;
        IsUnanswered = !_clientGone && client.Upstream.IsReused && !_heard && error is not HttpFormatException;
        return _clientGone || IsUnanswered ? null : new ProxyReply(error is HttpFormatException { Status: 504 } ? 504 : 502, $"{target.Name}: {error.Message}");
    }
}
