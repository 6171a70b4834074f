using System.Net;
using System.Net.Sockets;
using Whip.Protocol.Names;

namespace Whip.Protocol.Legs;

/// <summary>
/// Connects to a host, which may have several addresses, as RFC 8305 describes: while an address has not answered, the next one is tried beside
/// it, and the first connection that is established is used. Every connection to a name is made here.
/// </summary>
/// <param name="time">The clock of the waits, and of the legs.</param>
/// <param name="watch">Of the legs; null for legs whose owner notices a peer that has vanished by itself.</param>
/// <param name="resolve">Looks names up; null: the resolver of the system.</param>
internal sealed class Connector(TimeProvider time, LegWatch? watch = null, HostResolver? resolve = null)
{
    /// <summary>How long an address may take before the next one is tried too; RFC 8305 §5 recommends it.</summary>
    public static readonly TimeSpan NextAfter = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan QueuePause = TimeSpan.FromMilliseconds(10);

    private readonly HostResolver _resolve = resolve ?? Dns.GetHostAddressesAsync;

    /// <exception cref="SocketException">The name does not resolve, or no address of it answers.</exception>
    public async Task<Leg> ConnectAsync(HostPort to, CancellationToken cancellationToken) =>
        await ConnectAsync(await ResolveAsync(to.Host, cancellationToken).ConfigureAwait(false), to.Port, cancellationToken).ConfigureAwait(false);

    /// <exception cref="SocketException">No address answers.</exception>
    public Task<Leg> ConnectAsync(IReadOnlyList<IPAddress> addresses, int port, CancellationToken cancellationToken) => addresses.Count == 1
        ? ConnectOneAsync(new IPEndPoint(addresses[0], port), cancellationToken)
        : RaceAsync(Interleave(addresses).Select(address => new IPEndPoint(address, port)), cancellationToken);

    /// <summary>Connects to a Unix socket. While its queue is full it is tried again, since Linux refuses there whom it would let wait at a TCP port.</summary>
    /// <exception cref="SocketException">Nobody listens there, or this user may not connect.</exception>
    public async Task<Leg> ConnectAsync(UnixDomainSocketEndPoint path, CancellationToken cancellationToken)
    {
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(path, cancellationToken).ConfigureAwait(false);
                return new Leg(socket, time, hasOptions: true, connectedTo: Leg.Unmapped(path));
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.WouldBlock)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }

            await Task.Delay(QueuePause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The addresses of a host, in the order of the system's preference.</summary>
    /// <exception cref="SocketException">The name does not resolve.</exception>
    public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var literal))
        {
            return [literal];
        }

        try
        {
            var found = await _resolve(host, cancellationToken).ConfigureAwait(false);
            return found.Length > 0 ? found : throw new SocketException((int)SocketError.NoData);
        }
        catch (ArgumentException)
        {
            // A name that is valid, but longer than the system allows.
            throw new SocketException((int)SocketError.HostNotFound);
        }
    }

    /// <summary>Alternates between the families, beginning with the family of the first address; a family that does not work costs one wait.</summary>
    public static IReadOnlyList<IPAddress> Interleave(IReadOnlyList<IPAddress> addresses)
    {
        var families = addresses.Distinct().GroupBy(address => address.AddressFamily).Select(family => family.ToList()).ToList();
        var longest = families.Select(family => family.Count).DefaultIfEmpty().Max();
        return [.. Enumerable.Range(0, longest).SelectMany(i => families.Where(family => i < family.Count).Select(family => family[i]))];
    }

    private async Task<Leg> RaceAsync(IEnumerable<IPEndPoint> endPoints, CancellationToken cancellationToken)
    {
        using var decided = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new List<Task<Leg>>();
        SocketException? failure = null;
        using var next = endPoints.GetEnumerator();
        try
        {
            while (true)
            {
                var isLast = !next.MoveNext();
                if (!isLast)
                {
                    running.Add(ConnectOneAsync(next.Current, decided.Token));
                }
                else if (running.Count == 0)
                {
                    throw failure ?? new SocketException((int)SocketError.NoData);
                }

                var first = await FirstAsync(running, isLast ? Timeout.InfiniteTimeSpan : NextAfter, cancellationToken).ConfigureAwait(false);
                if (first is null)
                {
                    continue;
                }

                running.Remove(first);
                try
                {
                    return await first.ConfigureAwait(false);
                }
                catch (SocketException error)
                {
                    failure = Telling(failure, error);
                }
            }
        }
        finally
        {
            await decided.CancelAsync().ConfigureAwait(false);
            await CloseAsync(running).ConfigureAwait(false);
        }
    }

    /// <returns>The first that ends; null if none does in time.</returns>
    private async Task<Task<Leg>?> FirstAsync(List<Task<Leg>> running, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var first = Task.WhenAny(running);
        await ((Task)first).WaitAsync(timeout, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        return first.IsCompleted ? await first.ConfigureAwait(false) : null;
    }

    private async Task<Leg> ConnectOneAsync(IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        // Of the address's family: an IPv6 socket cannot be made where IPv6 is off.
        var address = Leg.Unmapped(endPoint);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address, cancellationToken).ConfigureAwait(false);
            return new Leg(socket, time, watch, connectedTo: address);
        }
        catch
        {
            // It may stand: who accepted it sees that nobody has come, and not somebody who has nothing to say.
            socket.Close(0);
            throw;
        }
    }

    /// <summary>The others may have been established at the same moment.</summary>
    private static async Task CloseAsync(List<Task<Leg>> others)
    {
        foreach (var other in others)
        {
            try
            {
                (await other.ConfigureAwait(false)).Abort();
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException)
            {
                // It closed its socket itself.
            }
        }
    }

    /// <summary>The first failure, unless it only says that this machine has no route for a family of addresses.</summary>
    private static SocketException Telling(SocketException? first, SocketException second) =>
        first is null or { SocketErrorCode: SocketError.NetworkUnreachable or SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported }
            ? second
            : first;
}

/// <summary>Looks a host up; fails with a <see cref="SocketException"/>.</summary>
internal delegate Task<IPAddress[]> HostResolver(string host, CancellationToken cancellationToken);
