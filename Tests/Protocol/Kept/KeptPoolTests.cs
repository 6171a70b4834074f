using Whip.Hosting.Listening;
using Whip.Protocol.Kept;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;

namespace Whip.Tests.Protocol.Kept;

public sealed class KeptPoolTests : IAsyncLifetime
{
    private static readonly KeptKey Key = new(HostPort.Of("broker.example", 8010));
    private static readonly int MaxOpenings = 2 * Environment.ProcessorCount;

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly List<LegPair> _pairs = [];
    private KeptPool _pool = null!;

    public Task InitializeAsync()
    {
        _pool = new KeptPool(null, _time);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        foreach (var pair in _pairs)
        {
            await pair.DisposeAsync();
        }
    }

    [Fact]
    public async Task The_newest_is_taken_first()
    {
        var (older, newer) = (await AddAsync(), await AddAsync());
        Assert.Same(newer, await TakeAsync());
        Assert.True(newer.IsReused);
        Assert.Same(older, await TakeAsync());
        Assert.Null(await TakeAsync());
    }

    [Fact]
    public async Task One_that_must_be_new_is()
    {
        await AddAsync();
        Assert.Null(await _pool.TakeAsync(Key, mayReuse: false, default));
    }

    [Fact]
    public async Task Those_of_another_peer_are_not_taken()
    {
        await AddAsync();
        Assert.Null(await _pool.TakeAsync(Key with { BrokerUri = "whip://c/broker/b" }, mayReuse: true, default));
        Assert.Null(await _pool.TakeAsync(new KeptKey(HostPort.Of("other.example", 8010)), mayReuse: true, default));
        Assert.True(HttpProxy.TryParse("http://proxy.example:3128", out var proxy, out _));
        Assert.Null(await _pool.TakeAsync(Key with { Via = proxy }, mayReuse: true, default));
        Assert.Equal(1, _pool.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_whose_peer_ends_it_or_speaks_is_let_go_of_at_once(bool speaks)
    {
        await AddAsync();
        if (speaks)
        {
            await _pairs[0].Far.WriteAsync(new byte[1]);
        }
        else
        {
            await _pairs[0].Far.DisposeAsync();
        }

        await Patience.UntilAsync(() => _pool.Count == 0, "the connection to be let go of");
        Assert.True(_pairs[0].Near.HasEnded);
        Assert.Null(await TakeAsync());
    }

    [Fact]
    public async Task An_idle_one_is_let_go_of_between_40_and_60_seconds()
    {
        await AddAsync();
        _time.Advance(TimeSpan.FromSeconds(39));
        Assert.Equal(1, _pool.Count);
        _time.Advance(TimeSpan.FromSeconds(26));
        Assert.Equal(0, _pool.Count);
        Assert.True(_pairs[0].Near.HasEnded);
    }

    [Fact]
    public async Task One_in_use_lives_between_8_and_12_minutes()
    {
        await AddAsync();
        for (var seconds = 0; seconds < 480; seconds += 30)
        {
            var connection = await TakeAsync();
            Assert.NotNull(connection);
            _time.Advance(TimeSpan.FromSeconds(30));
            _pool.GiveBack(connection);
        }

        for (var seconds = 480; seconds < 720 && await TakeAsync() is { } connection; seconds += 30)
        {
            _time.Advance(TimeSpan.FromSeconds(30));
            _pool.GiveBack(connection);
        }

        Assert.Equal(0, _pool.Count);
        Assert.True(_pairs[0].Near.HasEnded);
    }

    [Fact]
    public async Task No_more_than_256_are_kept()
    {
        for (var i = 0; i < 257; i++)
        {
            await AddAsync();
        }

        Assert.Equal(256, _pool.Count);
        Assert.True(_pairs[256].Near.HasEnded);
    }

    [Fact]
    public async Task A_stale_one_takes_those_that_have_idled_as_long_with_it()
    {
        await AddAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        var stale = await AddAsync();
        Assert.Same(stale, await TakeAsync());
        _time.Advance(TimeSpan.FromSeconds(1));
        var younger = await AddAsync();
        _pool.Drop(stale);
        Assert.True(_pairs[0].Near.HasEnded && _pairs[1].Near.HasEnded);
        Assert.Same(younger, await TakeAsync());
        Assert.Equal(0, _pool.Count);
    }

    [Fact]
    public async Task Two_per_core_are_made_at_once_and_who_waits_gets_the_first_that_is_given_back()
    {
        for (var i = 0; i < MaxOpenings; i++)
        {
            Assert.Null(await TakeAsync());
        }

        var waiting = Enumerable.Range(0, 3).Select(_ => TakeAsync().AsTask()).ToList();
        var mustBeNew = _pool.TakeAsync(Key, mayReuse: false, default).AsTask();
        Assert.All(waiting, task => Assert.False(task.IsCompleted));
        var given = await AddAsync();
        Assert.Same(given, await waiting[0].WaitAsync(Patience.Long));
        _pool.Opened(Key);
        Assert.Null(await waiting[1].WaitAsync(Patience.Long));
        _pool.Opened(Key);
        Assert.Null(await waiting[2].WaitAsync(Patience.Long));
        Assert.False(mustBeNew.IsCompleted);
        _pool.GiveBack(given);
        Assert.Equal(1, _pool.Count);
        Assert.False(mustBeNew.IsCompleted);
        _pool.Opened(Key);
        Assert.Null(await mustBeNew.WaitAsync(Patience.Long));
    }

    [Fact]
    public async Task A_wait_that_is_cancelled_takes_no_turn()
    {
        for (var i = 0; i < MaxOpenings; i++)
        {
            Assert.Null(await TakeAsync());
        }

        using var cancel = new CancellationTokenSource();
        var cancelled = _pool.TakeAsync(Key, mayReuse: true, cancel.Token).AsTask();
        var next = TakeAsync().AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Patience.Long));
        _pool.Opened(Key);
        Assert.Null(await next.WaitAsync(Patience.Long));
    }

    [Fact]
    public async Task One_that_showed_a_certificate_which_was_replaced_is_not_taken()
    {
        using var folder = new TempFolder();
        var files = TestCertificates.Shared.WriteClientFiles(folder.FullName, "dialer.testdom");
        var identity = TlsIdentity.Load(files);
        _pool = new KeptPool(identity, _time);
        var connection = await AddAsync();
        Assert.Same(connection, await TakeAsync());
        _pool.GiveBack(connection);
        File.AppendAllText(files.CaCertPath!, "\n");
        identity.Look(atOnce: true);
        Assert.NotSame(connection.Shown, identity.Certificate);
        Assert.Null(await TakeAsync());
    }

    [Fact]
    public async Task Idle_ones_are_counted_and_the_first_to_go()
    {
        var budget = Descriptors.Of(12 + 2);
        _pool = new KeptPool(null, _time, new KeptPlaces(budget));
        var (older, newer) = (await AddAsync(), await AddAsync());
        Assert.Equal(2, budget.InUse);
        var unfit = await AddAsync();
        Assert.True(unfit.Leg.HasEnded);
        Assert.True(budget.TryTake());
        Assert.True(older.Leg.HasEnded);
        Assert.Equal((1, 2), (_pool.Count, budget.InUse));
        Assert.Same(newer, await TakeAsync());
        Assert.Equal(1, budget.InUse);
    }

    [Fact]
    public async Task A_pool_that_is_closed_keeps_none()
    {
        await AddAsync();
        var connection = await AddAsync();
        Assert.Same(connection, await TakeAsync());
        _pool.Close();
        Assert.True(_pairs[0].Near.HasEnded);
        Assert.False(connection.Leg.HasEnded);
        _pool.GiveBack(connection);
        Assert.True(connection.Leg.HasEnded);
        Assert.Equal(0, _pool.Count);
    }

    private ValueTask<KeptConnection?> TakeAsync() => _pool.TakeAsync(Key, mayReuse: true, default);

    /// <summary>One that is idle after its first dial.</summary>
    private async Task<KeptConnection> AddAsync()
    {
        var pair = await LegPair.ConnectAsync(tls: false);
        _pairs.Add(pair);
        var connection = new KeptConnection(pair.Near, Key, _pool.Shown, _time);
        _pool.GiveBack(connection);
        return connection;
    }
}
