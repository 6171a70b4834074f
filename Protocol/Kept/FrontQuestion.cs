using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;

namespace Whip.Protocol.Kept;

/// <summary>
/// A CONNECT to one dial front and its answer: over a connection that was kept, and once more over a new one if that turns out to be of no use. For one
/// use.
/// </summary>
/// <param name="front">Whom to ask.</param>
/// <param name="connections">Of the dial.</param>
/// <param name="limit">Ends every wait.</param>
/// <param name="progressed">Called with every step of the peer.</param>
internal sealed class FrontQuestion(KeptKey front, DialConnections connections, CancellationToken limit, Action? progressed = null)
{
    private const int MaxReasonBytes = 1024;

    private readonly string _reaching = front.Via is { } proxy ? $"connection through the proxy {proxy} to" : "connection to";

    private KeptConnection? _connection;

    /// <summary>What the peer owes: "connection to", "answer from".</summary>
    public string Awaited { get => field ?? _reaching; private set; }

    /// <summary>The peer has sent a head, even if only that the dial is pending.</summary>
    public bool IsHeard { get; private set; }

    /// <summary>There was a connection to ask over.</summary>
    public bool HasConnected => _connection is not null;

    /// <summary>One that was kept was of no use.</summary>
    public bool WasStale { get; private set; }

    /// <param name="draw">The request, whose deadline is what remains now.</param>
    /// <param name="mayRepeat">After silence on a kept connection a new one is tried; after its end one is in any case.</param>
    /// <exception cref="OperationCanceledException">The limit has ended it; the connection is reset.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">Nobody answers.</exception>
    /// <exception cref="LegHandshakeException">The handshake or the broker's certificate was refused.</exception>
    /// <exception cref="IOException">A new connection broke.</exception>
    public async Task<FrontAnswer> AskAsync(Func<ConnectRequest> draw, bool mayRepeat)
    {
        try
        {
            while (true)
            {
                _connection = await connections.ReachAsync(front, awaited => Awaited = awaited, limit).ConfigureAwait(false);
                progressed?.Invoke();
                Awaited = "answer from";
                var request = draw() with { Keep = connections.DrawKeep() };
                var answer = _connection.IsReused
                    ? await TryAskAsync(_connection, request).ConfigureAwait(false)
                    : await AskAsync(_connection, request, limit).ConfigureAwait(false);
                if (answer is not null && !(answer.IsStale && mayRepeat))
                {
                    return answer;
                }

                Drop(_connection);
                (_connection, IsHeard, Awaited) = (null, false, _reaching);
                progressed?.Invoke();
            }
        }
        finally
        {
            // A reset, unlike an end of stream, cannot be mistaken for a dialer that has only finished sending.
            _connection?.Leg.Abort();
        }
    }

    /// <returns>Null: the connection had ended.</returns>
    private async Task<FrontAnswer?> TryAskAsync(KeptConnection connection, ConnectRequest request)
    {
        using var stale = new Deadline(KeptLimits.StaleAfter, connections.Time, limit);
        try
        {
            return await AskAsync(connection, request, stale.Token).ConfigureAwait(false) is { IsEnded: false } answer ? answer : null;
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!IsHeard && !limit.IsCancellationRequested)
        {
            Drop(connection);
            return new FrontAnswer { IsStale = true };
        }
    }

    private async Task<FrontAnswer> AskAsync(KeptConnection connection, ConnectRequest request, CancellationToken first)
    {
        await connection.Leg.WriteAsync(request.ToBytes(), first).ConfigureAwait(false);
        while (true)
        {
            var (head, _, problem) = await HeadReader.ReadAsync(
                connection.Leg, ConnectResponseHead.Parse, cancellationToken: IsHeard ? limit : first).ConfigureAwait(false);
            if (head is null)
            {
                return new FrontAnswer { Problem = problem, IsEnded = problem is null };
            }

            IsHeard = true;
            progressed?.Invoke();
            if (!head.IsInterim)
            {
                return await AnswerAsync(connection, head, request).ConfigureAwait(false);
            }
        }
    }

    private async Task<FrontAnswer> AnswerAsync(KeptConnection connection, ConnectResponseHead head, ConnectRequest request)
    {
        var answer = new FrontAnswer { Head = head, IsReused = connection.IsReused };
        switch (head.Outcome)
        {
            case var _ when head.Keep is not null && head.Keep != request.Keep:
                return answer with { Problem = $"it repeats another {ConnectRequest.KeepHeader} than it was sent" };
            case DialOutcome.Connected:
                _connection = null;
                return answer with { Stream = head.Keep is null ? connection.Leg : connections.Stream(connection) };
            case DialOutcome.ProtocolError:
            case DialOutcome.Redirected when !request.AcceptsRedirect:
                return answer with { Problem = $"status {head.Status}" };
            default:
                return answer with { Reason = await ReadReasonAsync(connection, head).ConfigureAwait(false) };
        }
    }

    private async Task<string> ReadReasonAsync(KeptConnection connection, ConnectResponseHead head)
    {
        var (line, isWhole) = await head.ReadReasonAsync(connection.Leg, MaxReasonBytes, limit).ConfigureAwait(false);
        if (isWhole && head.Keep is not null)
        {
            _connection = null;
            connections.GiveBack(connection);
        }

        return line;
    }

    private void Drop(KeptConnection connection)
    {
        WasStale = true;
        connections.Drop(connection);
    }
}

/// <summary>What a dial front answered.</summary>
internal sealed record FrontAnswer
{
    /// <summary>The final head; null if there was none.</summary>
    public ConnectResponseHead? Head { get; init; }

    /// <summary>Why what came is no answer of a dial front.</summary>
    public string? Problem { get; init; }

    /// <summary>Of a dial that is connected; owned by the caller.</summary>
    public WhipStream? Stream { get; init; }

    public bool IsConnected => Stream is not null;

    /// <summary>The line of a refusal; may be empty.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The connection ended before the final head.</summary>
    public bool IsEnded { get; init; }

    /// <summary>A kept connection was silent, which may be all that is wrong.</summary>
    public bool IsStale { get; init; }

    /// <summary>It came over a connection that had carried another dial.</summary>
    public bool IsReused { get; init; }
}
