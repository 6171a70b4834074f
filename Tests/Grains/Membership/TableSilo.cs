using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Configuration;
using Whip.Grains.Membership;

namespace Whip.Tests.Grains.Membership;

/// <summary>What a silo does with its membership table, without the silo: it takes over a view that is newer than its own.</summary>
internal sealed class TableSilo : ILocalSiloDetails, IClusterMembershipService, ISiloWitness, ISiloStore
{
    public const string ClusterId = "c1";

    private readonly ISiloStore _store;

    public TableSilo(ISiloStore store, string name, int generation = 1)
    {
        (_store, Name) = (store, name);
        SiloAddress = SiloAddress.New(IPAddress.Loopback, 20_000 + name[0], generation);
        var services = new ServiceCollection().AddLogging().AddSingleton<ILocalSiloDetails>(this).AddSingleton<IClusterMembershipService>(this)
            .AddSingleton<ISiloWitness>(this);
        Services = services.Configure<ClusterOptions>(options => options.ClusterId = ClusterId).BuildServiceProvider();
        Table = new MendingTable(this, Services, () => IsDead, (_, _) => Task.CompletedTask, Time, NullLogger.Instance);
        CurrentSnapshot = new ClusterMembershipSnapshot(ImmutableDictionary<SiloAddress, ClusterMember>.Empty, MembershipVersion.MinValue);
    }

    public IServiceProvider Services { get; }

    public MendingTable Table { get; }

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

    public SiloAddress SiloAddress { get; }

    public string Name { get; }

    /// <summary>Whether another silo says that this one is active.</summary>
    public bool IsListed { get; set; } = true;

    public bool IsDead { get; set; }

    public int Mendings { get; private set; }

    public int Questions { get; private set; }

    public ClusterMembershipSnapshot CurrentSnapshot { get; private set; }

    string ILocalSiloDetails.ClusterId => ClusterId;

    public string DnsHostName => "host";

    public SiloAddress GatewayAddress => SiloAddress;

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

    /// <summary>Joins, and is active at once.</summary>
    public async Task JoinAsync()
    {
        await _store.MendAsync(SeenSilos.None, acceptNewer: false, default);
        await Table.InitializeMembershipTableAsync(true, default);
        var read = await ReadAsync();
        var row = new MembershipEntry
        {
            SiloAddress = SiloAddress,
            SiloName = Name,
            HostName = DnsHostName,
            Status = SiloStatus.Active,
            StartTime = Time.GetUtcNow().UtcDateTime,
            IAmAliveTime = Time.GetUtcNow().UtcDateTime,
        };
        Xunit.Assert.True(await Table.InsertRowAsync(row, read.Version.Next(), default));
        await ReadAsync();
    }

    public async Task<MembershipTableData> ReadAsync()
    {
        var read = await Table.ReadAllAsync(default);
        if (new MembershipVersion(read.Version.Version) > CurrentSnapshot.Version)
        {
            var members = read.Members.Select(row => row.Item1).Select(row => new ClusterMember(row.SiloAddress, row.Status, row.SiloName));
            CurrentSnapshot = new ClusterMembershipSnapshot(members.ToImmutableDictionary(member => member.SiloAddress),
                new MembershipVersion(read.Version.Version));
        }

        return read;
    }

    /// <summary>Writes the status of a silo, its own or another's.</summary>
    public async Task WriteAsync(SiloAddress silo, SiloStatus status)
    {
        var read = await ReadAsync();
        var (row, etag) = read.TryGet(silo)!;
        row.Status = status;
        Xunit.Assert.True(await Table.UpdateRowAsync(row, etag, read.Version.Next(), default));
        await ReadAsync();
    }

    public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();

    Task<bool> ISiloWitness.IsListedAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        Questions++;
        return Task.FromResult(IsListed);
    }

    string ISiloStore.Name => _store.Name;

    IMembershipTable ISiloStore.Open(IServiceProvider silo) => _store.Open(silo);

    bool ISiloStore.IsGone(Exception error) => _store.IsGone(error);

    Task<Mending?> ISiloStore.MendAsync(SeenSilos seen, bool acceptNewer, CancellationToken cancellationToken)
    {
        Mendings++;
        return _store.MendAsync(seen, acceptNewer, cancellationToken);
    }
}
