using System.Collections.Concurrent;
using System.Net.Sockets;
using Whip.Grains.Members;
using Whip.Protocol.Connect;

namespace Whip.Broker.Dialing;

/// <summary>Forwards a dial to the broker that holds the agent's stream.</summary>
internal sealed class HolderDialer(
    string clusterId, string brokerId, TlsIdentity? tls, Connector connector, DescriptorBudget descriptors, TaskTracker work, TimeProvider time)
    : IDisposable
{
    private const int MaxReason = 512;
    private static readonly TimeSpan TrimInterval = TimeSpan.FromSeconds(15);

    private readonly ConcurrentDictionary<string, HolderFront> _fronts = new();
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Closes the connections to brokers that have left, and those that have become too old.</summary>
    public async Task TrimAsync(MemberTable members, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TrimInterval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            foreach (var (id, front) in _fronts)
            {
                front.Trim();
                if (!members.Members.Any(member => member.Id == id) && _fronts.TryRemove(id, out _))
                {
                    front.Close();
                }
            }
        }
    }

    /// <summary>
    /// One attempt at one holder. <see cref="DialOutcome.BrokerUnreachable"/>: it did not answer in <paramref name="timeout"/>, or became suspect;
    /// <see cref="DialOutcome.NotHolder"/>: it answered that it has no stream of the name; any other is its verdict on the dial.
    /// </summary>
    /// <exception cref="OperationCanceledException">The dial as a whole has ended; the holder sees its connection reset.</exception>
    public async Task<DialResult> DialAsync(
        BrokerMember holder, Dial dial, TimeSpan timeout, CancellationToken suspected, CancellationToken cancellationToken)
    {
        var front = Front(holder);
        using var deadline = new Deadline(timeout, time, cancellationToken, suspected);
        try
        {
            // A connection that stood ready may have been closed meanwhile; then nothing has come of the dial, and it is repeated on a new one.
            return (front.Take() is { } ready ? await TryAskAsync(ready, front, dial, timeout, deadline.Token) : null)
                ?? await TryAskAsync(await front.ConnectAsync(deadline.Token), front, dial, timeout, deadline.Token)
                ?? Unreachable(holder, $"it ended the connection without an answer{(tls is null ? "" : "; " + TlsRefusal.Unanswered(tls, time.GetUtcNow()))}");
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Unreachable(holder, suspected.IsCancellationRequested ? "it has become suspect" : $"no answer within {timeout.TotalSeconds:0.#} s");
        }
        catch (Exception error) when (error is SocketException or IOException or LegHandshakeException)
        {
            return Unreachable(holder, error.Message);
        }
        finally
        {
            work.Run(() => front.RefillAsync(_stopping.Token));
        }
    }

    public void Dispose()
    {
        _stopping.Cancel();
        foreach (var front in _fronts.Values)
        {
            front.Close();
        }

        _stopping.Dispose();
    }

    private static DialResult Unreachable(BrokerMember holder, string problem) =>
        DialResult.Failed(DialOutcome.BrokerUnreachable, Printable.Clean($"broker {holder.Id} at {holder.ExternalDial} does not answer: {problem}"));

    private HolderFront Front(BrokerMember holder)
    {
        var front = _fronts.GetOrAdd(holder.Id, Create);
        if (front.Address == holder.ExternalDial)
        {
            return front;
        }

        front.Close();
        return _fronts[holder.Id] = Create(holder.Id);

        HolderFront Create(string id) => new(id, clusterId, holder.ExternalDial, tls, connector, descriptors, time);
    }

    /// <returns>Null if the connection ended without an answer.</returns>
    private async Task<DialResult?> TryAskAsync(Leg leg, HolderFront front, Dial dial, TimeSpan timeout, CancellationToken cancellationToken)
    {
        DialResult? result = null;
        try
        {
            await leg.WriteAsync(Request(dial, timeout).ToBytes(), cancellationToken);
            var (head, _, problem) = await HeadReader.ReadAsync(leg, ConnectResponseHead.Parse, cancellationToken: cancellationToken);
            result = problem is not null ? DialResult.Failed(DialOutcome.BrokerUnreachable, $"broker {front.BrokerId}: {problem}")
                : head is null ? null
                : head.Outcome == DialOutcome.Connected ? DialResult.Connected(leg)
                : DialResult.Failed(head.Outcome, await ReasonAsync(leg, head, cancellationToken));
            return result;
        }
        catch (IOException)
        {
            return null;
        }
        finally
        {
            if (result?.Leg is null)
            {
                leg.Abort();
            }
        }
    }

    private ConnectRequest Request(Dial dial, TimeSpan timeout) => new(dial.Target)
    {
        // Less than this attempt has, so that the holder's own refusal, which names the reason, comes in time.
        Deadline = timeout * 0.9,
        Forwarded = brokerId,
        DialerNames = tls is null ? null : dial.Origin.Names,
        DialerId = tls is null ? null : dial.Origin.Id,
        Zone = dial.Origin.Zone.Length > 0 ? dial.Origin.Zone : null,
    };

    private static async Task<string> ReasonAsync(Leg leg, ConnectResponseHead head, CancellationToken cancellationToken)
    {
        var (line, _) = await head.ReadReasonAsync(leg, MaxReason, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        return Printable.Clean(line);
    }
}
