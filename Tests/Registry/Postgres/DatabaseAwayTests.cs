using Whip.Registry.Postgres;
using Whip.Tests.Registry.Membership;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Registry.Postgres;

/// <summary>A server that goes away under the brokers, in each way a server can.</summary>
public sealed class DatabaseAwayTests : IDisposable
{
    private readonly CapturedLogs _logs = new();

    public void Dispose() => _logs.Dispose();

    [SkippableTheory]
    [InlineData("stop")]
    [InlineData("kill")]
    [InlineData("freeze")]
    public async Task The_list_is_frozen_while_the_database_is_away_and_heals_when_it_is_back(string how)
    {
        await using var server = await PostgresServer.PrivateAsync();
        var options = TestOptions.Calm(await server.CreateDatabaseAsync(), freezes: how == "freeze");
        await using var a = await JoinAsync("a", options);
        await using var b = await JoinAsync("b", options);
        await a.SeesAsync("a b");
        await b.SeesAsync("a b");
        var (seenByA, seenByB) = (a.Members, b.Members);

        await TakeAwayAsync(server, how);
        await Patience.UntilAsync(() => Count("Away") == 2 && !a.IsCurrent && !b.IsCurrent, "that both notice");
        await Patience.UntilAsync(() => Count("StillAway") > 4, "that both try on");
        // Every lease gets too old.
        await Task.Delay(options.DropAfter);
        Assert.Same(seenByA, a.Members);
        b.SetDraining(true);

        await BringBackAsync(server, how);
        await a.SeesAsync("a b!");
        await Patience.UntilAsync(() => Count("Back") == 2 && a.IsCurrent && b.IsCurrent, "that both are back");
        Assert.Equal((2, 2, 0), (Count("Away"), Count("Back"), Count("PutBack")));
        Assert.Equal(seenByA.Select(m => m.Incarnation), a.Members.Select(m => m.Incarnation));
        Assert.Equal(seenByB.Select(m => m.Incarnation), b.Members.Select(m => m.Incarnation));

        await using var c = await JoinAsync("c", options);
        await a.SeesAsync("a b! c");
    }

    [SkippableTheory]
    [InlineData("stop")]
    [InlineData("kill")]
    [InlineData("freeze")]
    public async Task A_broker_that_starts_meanwhile_says_what_it_waits_for_and_joins_later(string how)
    {
        await using var server = await PostgresServer.PrivateAsync();
        var options = TestOptions.Calm(await server.CreateDatabaseAsync(), freezes: how == "freeze");
        await using var a = await JoinAsync("a", options);
        await TakeAwayAsync(server, how);

        await using var b = Create("b", options);
        var join = b.JoinAsync(CancellationToken.None);
        var waiting = await _logs.WaitForAsync("Waiting");
        Assert.Contains($"PostgreSQL at 127.0.0.1:{server.Port}", waiting.Message);
        await using var impatient = Create("c", options);
        using (var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(100)))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient.JoinAsync(patience.Token).WaitAsync(Patience.Long));
        }

        Assert.False(join.IsCompleted);
        Assert.Empty(b.Members);
        await impatient.DisposeAsync();

        await BringBackAsync(server, how);
        await join.WaitAsync(Patience.Long);
        await b.SeesAsync("a b");
        await a.SeesAsync("a b");
        Assert.DoesNotContain(_logs.Records, r => r.ToString().Contains(PostgresServer.Password, StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task A_broker_that_crashed_while_the_database_was_away_is_dropped_after_the_grace()
    {
        await using var server = await PostgresServer.PrivateAsync();
        var options = TestOptions.Quick(await server.CreateDatabaseAsync());
        await using var a = await JoinAsync("a", options);
        await using var b = await JoinAsync("b", options);
        var c = await JoinAsync("c", options);
        await a.SeesAsync("a b c");
        await server.StopAsync();
        await Patience.UntilAsync(() => Count("Away") == 3, "that all notice");
        await c.DisposeAsync();
        await Task.Delay(options.DropAfter);
        Assert.Equal("a b c", TestMembers.Text(a.Members));

        await server.StartAsync();
        await a.SeesAsync("a b");
        await b.SeesAsync("a b");
    }

    [SkippableFact]
    public async Task Leaving_does_not_wait_for_the_database()
    {
        await using var server = await PostgresServer.PrivateAsync();
        var options = TestOptions.Calm(await server.CreateDatabaseAsync(), freezes: true);
        await using var a = await JoinAsync("a", options);
        await TakeAwayAsync(server, "freeze");
        await a.LeaveAsync(CancellationToken.None).WaitAsync(Patience.Long);
        Assert.Empty(a.Members);
        await _logs.WaitForAsync("LeftUntold");
    }

    [SkippableFact]
    public async Task A_wrong_password_is_told_once_and_tried_on_until_cancelled()
    {
        var server = await PostgresServer.SharedAsync();
        await using var membership = Create("a", TestOptions.Quick($"Host=127.0.0.1;Port={server.Port};Username=whip;Password=a guess;Database=postgres"));
        using var cancel = new CancellationTokenSource();
        var join = membership.JoinAsync(cancel.Token);
        var told = await _logs.WaitForAsync("Waiting");
        Assert.Contains($"127.0.0.1:{server.Port}: 28P01: password authentication failed for user \"whip\"", told.Message);
        await Patience.UntilAsync(() => Count("StillAway") > 2, "that it tries on");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => join.WaitAsync(Patience.Long));
        Assert.Equal(1, Count("Waiting"));
        Assert.DoesNotContain(_logs.Records, r => r.ToString().Contains("a guess", StringComparison.Ordinal));
    }

    private static async Task TakeAwayAsync(PostgresServer server, string how)
    {
        if (how == "freeze")
        {
            server.Freeze();
        }
        else
        {
            await (how == "stop" ? server.StopAsync() : server.KillAsync());
        }
    }

    private static async Task BringBackAsync(PostgresServer server, string how)
    {
        if (how == "freeze")
        {
            server.Thaw();
        }
        else
        {
            await server.StartAsync();
        }
    }

    private int Count(string eventName) => _logs.Records.Count(r => r.Event.Name == eventName);

    private PostgresMembership Create(string id, PostgresMembershipOptions options) => new(TestMembers.Broker(id), options, _logs, TimeProvider.System);

    private Task<PostgresMembership> JoinAsync(string id, PostgresMembershipOptions options) => Create(id, options).JoinedAsync();
}
