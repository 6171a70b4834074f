using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Hosting.Listening;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Bench.Kept;

/// <summary>
/// Stands between two programs, passes on what they say and cuts their connections. A program cannot be told in which state to break off a dial, and one
/// that is killed breaks many; but neither of two neighbours can tell a cut between them from a reset by the other. So cuts of the first hop are aborts of
/// the dialer and of the ingress, those of the second of ingress and holder, those of the third of holder and agent, each as its neighbour sees it. Under
/// TLS the hop ends the session of each side, with the certificate of the other, and so sees the frames there too.
/// </summary>
/// <param name="tally">Gets what is wrong.</param>
/// <param name="find">The dial that is to a port now.</param>
/// <param name="carriesLegs">Agents connect to it, with legs; else whoever dials.</param>
internal sealed class CuttingHop(KeptTally tally, Func<int, KeptDial?> find, bool carriesLegs) : IAsyncDisposable
{
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    private readonly SocketListener _listener = new(
        "hop", new IPEndPoint(IPAddress.Loopback, 0), int.MaxValue, DescriptorBudget.OfProcess(), NullLogger.Instance, TimeProvider.System);

    private CancellationTokenSource _ending = new();
    private int _connections;
    private int _dials;
    private int _reused;

    public IPEndPoint Address => _listener.LocalEndPoint;

    /// <summary>Where its connections lead.</summary>
    public IPEndPoint Target { get; set; } = new(IPAddress.Loopback, 0);

    /// <summary>What it shows to who connects; null without TLS.</summary>
    public TlsIdentity? ServerIdentity { get; set; }

    /// <summary>What it shows to <see cref="Target"/>.</summary>
    public TlsIdentity? ClientIdentity { get; set; }

    /// <summary>Its place on the way of the dials; 0 if it is on none.</summary>
    public int Number { get; set; }

    /// <summary>It says to who asked that a dial is done when only they have ended.</summary>
    public bool IsLying { get; set; }

    /// <summary>Connections, each with a handshake under TLS.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public int Dials => Volatile.Read(ref _dials);

    /// <summary>Dials on a connection that had carried another.</summary>
    public int Reused => Volatile.Read(ref _reused);

    public KeptTally Tally => tally;

    public bool CarriesLegs => carriesLegs;

    public KeptDial? Find(int port) => Number == 0 ? null : find(port);

    public void Start() => _listener.Start((leg, _, stop) => ServeAsync(leg, stop));

    public void Counted(bool isReused)
    {
        if (Number > 0)
        {
            Interlocked.Increment(ref _dials);
            Interlocked.Add(ref _reused, isReused ? 1 : 0);
        }
    }

    /// <summary>Ends the connections, and takes new ones.</summary>
    public async Task EndAllAsync()
    {
        using var ending = Interlocked.Exchange(ref _ending, new CancellationTokenSource());
        await ending.CancelAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        _ending.Dispose();
    }

    private async Task ServeAsync(Leg near, CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop, _ending.Token);
        Leg? far = null;
        try
        {
            using var handshake = CancellationTokenSource.CreateLinkedTokenSource(ending.Token);
            handshake.CancelAfter(HandshakeTimeout);
            far = await Leg.ConnectAsync(Target, handshake.Token);
            if (ServerIdentity is not null && ClientIdentity is not null)
            {
                await near.AuthenticateAsServerAsync(ServerIdentity, PeerRole.Client, handshake.Token);
                await far.AuthenticateAsClientAsync(ClientIdentity, $"{Target.Address}", handshake.Token);
            }

            Interlocked.Add(ref _connections, Number > 0 ? 1 : 0);
            var preamble = carriesLegs ? await LegPreamble.ReadAsync(near, handshake.Token) : default;
            if (preamble.ConnectionId is { } id)
            {
                await far.WriteAsync(LegPreamble.Write(id), handshake.Token);
            }

            await new CutConnection(this, carriesLegs ? far : near, carriesLegs ? near : far).RunAsync(ending.Token);
        }
        catch (Exception error) when (error is IOException or SocketException or LegHandshakeException or OperationCanceledException)
        {
            // One of them went away; the other sees the same.
        }

        near.Abort();
        far?.Abort();
    }
}
