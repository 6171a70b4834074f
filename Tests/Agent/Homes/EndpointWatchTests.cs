using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Agent.Homes;
using Whip.Protocol.Names;

namespace Whip.Tests.Agent.Homes;

public sealed class EndpointWatchTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly Channel<TaskCompletionSource<IPAddress[]>> _lookups = Channel.CreateUnbounded<TaskCompletionSource<IPAddress[]>>();
    private readonly Channel<bool> _changes = Channel.CreateUnbounded<bool>();
    private readonly CancellationTokenSource _stop = new();
    private readonly EndpointWatch _watch;
    private readonly Task _running;

    public EndpointWatchTests()
    {
        _watch = new EndpointWatch(
            HostPort.Of("brokers.example", 50051), ResolveAsync, _time, NullLogger.Instance, () => _changes.Writer.TryWrite(true));
        _running = _watch.RunAsync(_stop.Token);
    }

    [Fact]
    public async Task Addresses_are_followed_every_five_seconds()
    {
        (await NextLookupAsync()).SetResult([IPAddress.Parse("10.0.0.1"), IPAddress.Parse("::ffff:10.0.0.1")]);
        Assert.Equal(["10.0.0.1:50051"], await AddressesAfterChangeAsync());
        await AdvanceToNextLookupAsync(l => l.SetResult([IPAddress.Parse("10.0.0.2")]));
        Assert.Equal(["10.0.0.2:50051"], await AddressesAfterChangeAsync());
    }

    [Fact]
    public async Task A_failed_or_empty_lookup_keeps_the_last_known_addresses()
    {
        (await NextLookupAsync()).SetResult([IPAddress.Parse("10.0.0.1")]);
        await AddressesAfterChangeAsync();
        await AdvanceToNextLookupAsync(l => l.SetException(new SocketException((int)SocketError.HostNotFound)));
        await AdvanceToNextLookupAsync(l => l.SetResult([]));
        await AdvanceToNextLookupAsync(l => l.SetResult([IPAddress.Parse("10.0.0.3")]));
        Assert.Equal(["10.0.0.3:50051"], await AddressesAfterChangeAsync());
    }

    [Fact]
    public async Task A_lookup_that_hangs_is_never_joined_by_a_second()
    {
        var hanging = await NextLookupAsync();
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.False(_lookups.Reader.TryRead(out _));
        hanging.SetResult([IPAddress.Parse("10.0.0.1")]);
        Assert.Equal(["10.0.0.1:50051"], await AddressesAfterChangeAsync());
    }

    [Fact]
    public async Task With_a_proxy_an_endpoint_is_at_its_name_until_it_can_be_looked_up()
    {
        var watch = new EndpointWatch(
            HostPort.Of("brokers.example", 50051), ResolveAsync, _time, NullLogger.Instance, () => _changes.Writer.TryWrite(true), hasProxy: true);
        (await NextLookupAsync()).SetResult([IPAddress.Parse("10.0.0.1")]);
        await AddressesAfterChangeAsync();
        using var stop = new CancellationTokenSource();
        var running = watch.RunAsync(stop.Token);
        var hanging = await NextLookupAsync();
        var changed = _changes.Reader.ReadAsync().AsTask();
        await _time.AdvanceUntilAsync(() => changed.IsCompleted, "the name", atMost: TimeSpan.FromSeconds(2));
        Assert.True(Assert.Single(watch.Addresses).IsName);
        Assert.Equal("brokers.example:50051", $"{watch.Addresses[0]}");

        changed = _changes.Reader.ReadAsync().AsTask();
        hanging.SetResult([IPAddress.Parse("10.0.0.7")]);
        await changed.WaitAsync(Patience.Long);
        Assert.Equal("brokers.example:50051 (10.0.0.7)", $"{Assert.Single(watch.Addresses)}");
        await stop.CancelAsync();
        await running.WaitAsync(Patience.Long);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Patience.Long);
        _stop.Dispose();
    }

    private async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        var lookup = new TaskCompletionSource<IPAddress[]>();
        await _lookups.Writer.WriteAsync(lookup, cancellationToken);
        return await lookup.Task.WaitAsync(cancellationToken);
    }

    private Task<TaskCompletionSource<IPAddress[]>> NextLookupAsync() => _lookups.Reader.ReadAsync().AsTask().WaitAsync(Patience.Long);

    /// <summary>The addresses stay as they are until the lookup that <paramref name="answer"/> answers.</summary>
    private async Task AdvanceToNextLookupAsync(Action<TaskCompletionSource<IPAddress[]>> answer)
    {
        var lookup = NextLookupAsync();
        await _time.AdvanceUntilAsync(() => lookup.IsCompleted, "a lookup");
        Assert.Equal(["10.0.0.1:50051"], _watch.Addresses.Select(a => a.Address.ToString()));
        answer(await lookup);
    }

    private async Task<IEnumerable<string>> AddressesAfterChangeAsync()
    {
        await _changes.Reader.ReadAsync().AsTask().WaitAsync(Patience.Long);
        return _watch.Addresses.Select(a => a.Address.ToString());
    }
}
