using System.Net.Sockets;

namespace Whip.Broker.Dialing;

/// <summary>
/// The dial front of one other broker, with a few authenticated connections that stand ready, so that a forwarded dial needs no handshake. Each
/// carries one dial. Owner of those that stand ready: the lock.
/// </summary>
internal sealed class HolderFront(
    string brokerId, string clusterId, HostPort address, TlsIdentity? tls, Connector connector, DescriptorBudget descriptors, TimeProvider time)
{
    private const int Ready = 2;

    // The other broker closes a connection that has been idle for 60 seconds.
    private static readonly TimeSpan IdleLife = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly UnauthenticatedGate _kept = new(Ready, descriptors, SpareKind.Kept);
    private readonly Queue<(Leg Leg, UnauthenticatedGate.Entry Entry, long Since, object? Shown)> _idle = new();
    private int _opening;
    private bool _isClosed;

    public string BrokerId => brokerId;

    public HostPort Address => address;

    /// <summary>A connection that stands ready; the other broker may have closed it.</summary>
    public Leg? Take()
    {
        lock (_lock)
        {
            DropOld();
            while (_idle.TryDequeue(out var idle))
            {
                if (idle.Entry.Leave())
                {
                    return idle.Leg;
                }
            }

            return null;
        }
    }

    /// <summary>For a dial, whose place is reserved.</summary>
    /// <exception cref="SocketException">The address does not answer, or no descriptor is left.</exception>
    /// <exception cref="LegHandshakeException">Another broker answers.</exception>
    public Task<Leg> ConnectAsync(CancellationToken cancellationToken) =>
        descriptors.TryTakeReserved() ? ConnectInPlaceAsync(cancellationToken) : throw new SocketException((int)SocketError.TooManyOpenSockets);

    private async Task<Leg> ConnectInPlaceAsync(CancellationToken cancellationToken)
    {
        Leg leg;
        try
        {
            leg = await connector.ConnectAsync(address, cancellationToken);
        }
        catch
        {
            descriptors.Return();
            throw;
        }

        leg.OnClosed(() => descriptors.Return());
        try
        {
            if (tls is not null)
            {
                await leg.AuthenticateAsClientAsync(tls, address.Host, cancellationToken);
                if (leg.Peer?.IsBroker(clusterId, brokerId) != true)
                {
                    throw new LegHandshakeException($"{address} shows a certificate of {leg.Peer}, not of {BrokerUri.Format(clusterId, brokerId)}");
                }
            }

            return leg;
        }
        catch
        {
            leg.Abort();
            throw;
        }
    }

    /// <summary>Opens the ready connections that are missing; called after each use, so that a broker that is not dialled has none.</summary>
    public async Task RefillAsync(CancellationToken cancellationToken)
    {
        while (TryBeginOpening())
        {
            Leg? leg = null;
            var shown = tls?.Certificate;
            try
            {
                using var deadline = new Deadline(ReadyTimeout, time, cancellationToken);
                leg = descriptors.TryTakeSpare() ? await ConnectInPlaceAsync(deadline.Token) : null;
            }
            catch (Exception error) when (error is SocketException or IOException or LegHandshakeException or OperationCanceledException)
            {
                // The next dial will meet the same problem and report it.
            }

            if (!EndOpening(leg, shown))
            {
                leg?.Abort();
                return;
            }
        }
    }

    /// <summary>Closes the connections that the other broker is about to close, and those made with a certificate that has been replaced.</summary>
    public void Trim()
    {
        lock (_lock)
        {
            DropOld();
        }
    }

    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            while (_idle.TryDequeue(out var idle))
            {
                idle.Entry.Leave();
                idle.Leg.Abort();
            }
        }
    }

    private bool TryBeginOpening()
    {
        lock (_lock)
        {
            if (_isClosed || _idle.Count + _opening >= Ready)
            {
                return false;
            }

            _opening++;
            return true;
        }
    }

    private bool EndOpening(Leg? leg, object? shown)
    {
        lock (_lock)
        {
            _opening--;
            if (leg is null || _isClosed)
            {
                return false;
            }

            _idle.Enqueue((leg, _kept.Enter(leg.Abort), time.GetTimestamp(), shown));
            return true;
        }
    }

    private void DropOld()
    {
        while (_idle.TryPeek(out var oldest) && (time.GetElapsedTime(oldest.Since) > IdleLife || !ReferenceEquals(oldest.Shown, tls?.Certificate)))
        {
            var (leg, entry, _, _) = _idle.Dequeue();
            entry.Leave();
            leg.Abort();
        }
    }
}
