using System.Net.Sockets;
using Whip.Broker.Listening;
using Whip.Grains.Members;
using Whip.Protocol.Kept;

namespace Whip.Broker.Dialing;

/// <summary>
/// The connections of this broker to the dial fronts of the others: each carries one forwarded dial after the other. All take descriptors of the
/// broker's budget, the idle ones as long as nobody else needs them.
/// </summary>
internal sealed class HolderConnections : IKeptPlaces
{
    /// <summary>Of what is asked here, in metrics.</summary>
    public const string Name = "holder";

    private readonly string _clusterId;
    private readonly TlsIdentity? _tls;
    private readonly Connector _connector;
    private readonly DescriptorBudget _descriptors;
    private readonly UnauthenticatedGate _idle;
    private readonly KeptMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly KeptPool _pool;
    private volatile HashSet<KeptKey> _fronts = [];

    public HolderConnections(
        string clusterId, TlsIdentity? tls, Connector connector, DescriptorBudget descriptors, KeptMetrics metrics, TimeProvider time)
    {
        (_clusterId, _tls, _connector, _descriptors, _metrics, _time) = (clusterId, tls, connector, descriptors, metrics, time);
        _idle = new UnauthenticatedGate(int.MaxValue, descriptors, SpareKind.Kept);
        _pool = new KeptPool(tls, time, this, front => _fronts.Contains(front));
    }

    /// <summary>Those that are idle.</summary>
    public int Kept => _pool.Count;

    /// <summary>Where a member is asked as a holder: at its address, and under TLS by the name that only it has.</summary>
    public KeptKey FrontOf(BrokerMember member) => new(member.ExternalDial, _tls is null ? null : BrokerUri.Format(_clusterId, member.Id));

    /// <summary>For one dial.</summary>
    public DialConnections ForDial() => new(_tls, ConnectAsync, _pool, _time);

    /// <summary>A dial has asked a holder.</summary>
    public void Asked(bool isReused, bool wasStale)
    {
        if (isReused)
        {
            _metrics.Reused();
        }

        if (wasStale)
        {
            _metrics.Stale();
        }
    }

    /// <summary>From now on connections are kept to these only; idle ones to others end.</summary>
    public void Follow(IEnumerable<BrokerMember> members)
    {
        _fronts = members.Select(FrontOf).ToHashSet();
        _pool.Trim();
    }

    /// <summary>Ends those that are idle, and keeps none from now on.</summary>
    public void Close() => _pool.Close();

    /// <summary>The connection has its descriptor already; now it may be ended to free it.</summary>
    public IKeptPlace TryEnter(KeptConnection connection, Action end) => _metrics.Enter(_idle.Enter(end));

    /// <summary>For a dial, whose place is reserved.</summary>
    private async Task<Leg> ConnectAsync(KeptKey front, CancellationToken cancellationToken)
    {
        if (!_descriptors.TryTakeReserved())
        {
            throw new SocketException((int)SocketError.TooManyOpenSockets);
        }

        try
        {
            var leg = await _connector.ConnectAsync(front.Address, cancellationToken);
            leg.OnClosed(() => _descriptors.Return());
            return leg;
        }
        catch
        {
            _descriptors.Return();
            throw;
        }
    }
}
