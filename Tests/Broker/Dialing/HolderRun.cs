using Prometheus;
using Whip.Broker.Dialing;
using Whip.Broker.Listening;
using Whip.Grains.Members;
using Whip.Hosting.Listening;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Tests.Broker.Dialing;

/// <summary>What forwards the dials of a broker b1, to holders that the test scripts.</summary>
internal sealed class HolderRun : IAsyncDisposable
{
    private readonly bool _tls;
    private readonly TimeProvider _time;
    private readonly HolderDialer _dialer;
    private readonly CollectorRegistry _metrics = Metrics.NewCustomRegistry();
    private readonly List<FakeDialFront> _fronts = [];
    private readonly List<BrokerMember> _members = [];

    public HolderRun(
        bool tls, TimeProvider? time = null, TlsIdentity? identity = null, DescriptorBudget? descriptors = null, HostResolver? resolve = null)
    {
        // Else a connection of a busy machine may look stale.
        (_tls, _time) = (tls, time ?? new FakeTimeProvider(DateTimeOffset.UtcNow));
        identity ??= tls ? TestCertificates.Shared.MemberIdentity("c1", "b1") : null;
        Connections = new HolderConnections(
            "c1", identity, new Connector(_time, resolve: resolve), descriptors ?? Descriptors.Many, new KeptMetrics(_metrics, HolderConnections.Name), _time);
        _dialer = new HolderDialer("b1", identity, Connections, _time);
    }

    public HolderConnections Connections { get; }

    /// <summary>A member, as which <paramref name="script"/> answers each connection.</summary>
    public BrokerMember Add(Func<FakeDialConnection, Task> script, string id = "b2", TlsIdentity? identity = null)
    {
        var front = new FakeDialFront(_tls ? identity ?? TestCertificates.Shared.MemberIdentity("c1", id) : null, script);
        _fronts.Add(front);
        return Join(id, HostPort.Of("127.0.0.1", front.Port));
    }

    public BrokerMember Join(string id, HostPort dial)
    {
        var member = new BrokerMember(id, 1, default, default, dial, "", IsDraining: false, IsSuspect: false, HasSilo: true);
        _members.Add(member);
        Connections.Follow(_members);
        return member;
    }

    public void Leave(BrokerMember member)
    {
        _members.Remove(member);
        Connections.Follow(_members);
    }

    /// <summary>How often a member was connected to.</summary>
    public int Accepted(BrokerMember member) => _fronts.Single(front => front.Port == member.ExternalDial.Port).Accepted;

    /// <summary>One attempt at a holder.</summary>
    public Task<DialResult> TryDialAsync(
        BrokerMember holder, TimeSpan? timeout = null, CancellationToken suspected = default, CancellationToken cancellationToken = default)
    {
        Assert.True(DialTarget.TryParse("instance1.testdom:5051", out var target, out _));
        var dial = new Dial(target, new DialOrigin(["dialer.testdom"], "a test"), TimeSpan.Zero, Patience.Long, _time.GetTimestamp());
        return _dialer.DialAsync(holder, dial, timeout ?? Patience.Long, suspected, cancellationToken).WaitAsync(Patience.Long);
    }

    /// <summary>A dial that the holder connects.</summary>
    public async Task<WhipStream> DialAsync(BrokerMember holder)
    {
        var result = await TryDialAsync(holder);
        Assert.True(result.IsConnected, result.Reason);
        return result.Stream;
    }

    /// <summary>A dial that ends at once, until its connection is idle.</summary>
    public async Task ExchangeAsync(BrokerMember holder, int idle = 1)
    {
        await (await DialAsync(holder)).DisposeAsync();
        await UntilIdleAsync(idle);
    }

    public Task UntilIdleAsync(int count) => Patience.UntilAsync(() => Connections.Kept == count, $"{count} idle connections");

    public Task<string> ScrapeAsync() => Scrape.ReadAsync(_metrics);

    public async ValueTask DisposeAsync()
    {
        Connections.Close();
        foreach (var front in _fronts)
        {
            await front.DisposeAsync();
        }

        Assert.Contains("whip_broker_kept_connections{listener=\"holder\"} 0\n", await ScrapeAsync());
    }
}
