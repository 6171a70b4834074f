using System.Net;
using System.Net.Sockets;
using Whip.Hosting.Listening;
using Whip.Protocol.Options;

namespace Whip.Tests.Hosting.Listening;

/// <summary>An address that is in use: by a process that listens, or only by an outgoing connection.</summary>
public sealed class PortBinderTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly CapturedLogs _logs = new();

    public void Dispose() => _logs.Dispose();

    [Fact]
    public async Task A_port_of_an_outgoing_connection_is_bound_when_it_is_free()
    {
        using var taken = new OutgoingConnection();
        var binding = BindAsync(taken.LocalEndPoint);
        var line = await _logs.WaitForAsync("WaitingForPort");
        Assert.StartsWith($"--x-listen \"{taken.LocalEndPoint}\": the address is in use, though nobody listens there", line.Message);
        Assert.EndsWith($"waiting for it until {_time.GetUtcNow() + PortBinder.Patience:u}", line.Message);
        taken.Dispose();
        await _time.AdvanceUntilAsync(() => binding.IsCompleted, "the bound address");
        using var socket = (await binding)!;
        Assert.Equal(taken.LocalEndPoint, socket.LocalEndPoint);
    }

    [Fact]
    public async Task After_a_minute_it_is_the_error_of_an_address_in_use()
    {
        using var taken = new OutgoingConnection();
        var startedAt = _time.GetUtcNow();
        var binding = BindAsync(taken.LocalEndPoint);
        await _time.AdvanceUntilAsync(() => binding.IsCompleted, "the end of the wait");
        Assert.Equal("the address is in use", (await Assert.ThrowsAsync<WhipOptionException>(() => binding)).Problem);
        Assert.True(_time.GetUtcNow() - startedAt >= TimeSpan.FromSeconds(60));
        Assert.Single(_logs.Records);
    }

    [SkippableTheory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("0.0.0.0", "127.0.0.1")]
    [InlineData("[::]", "127.0.0.1")]
    [InlineData("127.0.0.1", "0.0.0.0")]
    [InlineData("127.0.0.1", "[::]")]
    public async Task It_is_the_error_at_once_where_somebody_listens(string listen, string wanted)
    {
        Skip.If($"{listen}{wanted}".Contains('[', StringComparison.Ordinal) && !Socket.OSSupportsIPv6, "this machine has no IPv6");
        var port = FreePort.Find(1)[0];
        using var other = SocketAcceptor.Bind(IPEndPoint.Parse($"{listen}:{port}"));
        other.Listen();
        await Assert.ThrowsAsync<WhipOptionException>(() => BindAsync(IPEndPoint.Parse($"{wanted}:{port}")).WaitAsync(Patience.Long));
        Assert.Empty(_logs.Records);
    }

    [Fact]
    public async Task The_wait_ends_when_somebody_listens_there()
    {
        using var taken = new OutgoingConnection();
        var binding = BindAsync(taken.LocalEndPoint);
        await _logs.WaitForAsync("WaitingForPort");
        taken.Dispose();
        using var other = SocketAcceptor.Bind(taken.LocalEndPoint);
        other.Listen();
        var startedAt = _time.GetUtcNow();
        await _time.AdvanceUntilAsync(() => binding.IsCompleted, "the end of the wait");
        await Assert.ThrowsAsync<WhipOptionException>(() => binding);
        Assert.True(_time.GetUtcNow() - startedAt < TimeSpan.FromSeconds(60));
    }

    private Task<Socket?> BindAsync(IPEndPoint address) =>
        new PortBinder(_logs.CreateLogger("test"), _time, static option => option == "XListen" ? "--x-listen" : option).BindAsync(
            "XListen", $"{address}", loopbackOnly: false,
            endPoint =>
            {
                var socket = SocketAcceptor.Bind(endPoint);
                try
                {
                    socket.Listen();
                    return Task.FromResult(socket);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
            CancellationToken.None);
}
