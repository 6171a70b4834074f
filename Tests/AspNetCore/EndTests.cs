using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Prometheus;
using Whip.Protocol.Dialing;

namespace Whip.Tests.AspNetCore;

/// <summary>How the dials of an app end, and what they carry until then.</summary>
public sealed class EndTests
{
    [Theory, PlainAndTls]
    public async Task A_thousand_dials_one_after_the_other_are_served_on_one_leg(bool tls)
    {
        const int Dials = 1000;
        await using var broker = await TestBroker.StartAsync(tls);
        await using var app = await DialedApp.StartAsync(broker, tls, map => map.MapGet("/{i}", (int i) => $"answer {i}"));
        var dialer = app.Dialer();
        for (var i = 0; i < Dials; i++)
        {
            await using (var stream = await dialer.DialAsync(DialedApp.Name, DialedApp.Port).WaitAsync(Patience.Long))
            {
                await stream.WriteAsync(DialedApp.Request($"/{i}"));
                var answer = Encoding.ASCII.GetString(await stream.ReadToEndAsync());
                Assert.True(answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) && answer.Contains($"answer {i}"), answer);
            }

            await Patience.UntilAsync(() => broker.Parts.KeptLegs.Count == 1, "the leg to be kept");
        }

        await broker.AssertNothingLeftAsync();

        // On a busy machine the broker takes a leg for stale now and then.
        Assert.InRange(broker.Logs.Records.Count(record => record.Event.Name == "LegArrived"), 1, Dials / 50);
        await Patience.UntilAsync(() => app.Agent is { OpenRelays: 0, PendingConnects: 0, RentedBuffers: 0 }, "an idle agent");
    }

    [Theory, PlainAndTls]
    public async Task A_dialer_that_has_only_finished_asking_is_answered(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        var asked = new TaskCompletionSource();
        await using var app = await DialedApp.StartAsync(broker, tls, map => map.MapGet("/", async () =>
        {
            await asked.Task;
            return "late";
        }));
        await using var stream = await app.DialAsync();
        await stream.WriteAsync(DialedApp.Request("/", headers: ""));
        await stream.CompleteWritesAsync();
        asked.SetResult();
        Assert.Contains("late", Encoding.ASCII.GetString(await stream.ReadToEndAsync()));
    }

    [Theory, PlainAndTls]
    public async Task A_dialer_that_resets_aborts_the_request(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        var asked = new TaskCompletionSource();
        var aborted = new TaskCompletionSource();
        await using var app = await DialedApp.StartAsync(broker, tls, map => map.MapGet("/", async (HttpContext context) =>
        {
            context.RequestAborted.Register(aborted.SetResult);
            asked.SetResult();
            await aborted.Task;
        }));
        await using var stream = await app.DialAsync();
        await stream.WriteAsync(DialedApp.Request("/"));
        await asked.Task.WaitAsync(Patience.Long);
        stream.Abort();
        await aborted.Task.WaitAsync(Patience.Long);
        await Patience.UntilAsync(() => app.Agent.OpenRelays == 0, "the end of the relay");
    }

    [Theory, PlainAndTls]
    public async Task An_app_that_aborts_resets_the_dial_whether_it_is_read_or_not(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        var isBlocked = new TaskCompletionSource();
        await using var app = await DialedApp.StartAsync(broker, tls, map =>
        {
            map.MapGet("/now", (HttpContext context) => context.Abort());
            map.MapGet("/blocked", async (HttpContext context) =>
            {
                var writing = context.Response.Body.WriteAsync(new byte[64 * 1024 * 1024]);
                await isBlocked.Task;
                context.Abort();
                await writing;
            });
        });
        await AssertResetAsync("/now", () => Task.CompletedTask);
        await AssertResetAsync("/blocked", async () =>
        {
            await Patience.UntilAsync(async () => await ToDialerAsync(app) > 1024 * 1024, "bytes that nobody reads");
            isBlocked.SetResult();
        });

        async Task AssertResetAsync(string path, Func<Task> meanwhile)
        {
            await using var stream = await app.DialAsync();
            await stream.WriteAsync(DialedApp.Request(path));
            await meanwhile();
            await Patience.UntilAsync(() => app.Agent.OpenRelays == 0, "the end of the relay");
            await Assert.ThrowsAnyAsync<IOException>(() => stream.ReadToEndAsync());
        }
    }

    [Theory, PlainAndTls]
    public async Task Readers_that_are_slow_at_either_end_get_every_byte(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        var bytes = new byte[32 * 1024 * 1024];
        new Random(2).NextBytes(bytes);
        var blocked = new TaskCompletionSource();
        var mayRead = new TaskCompletionSource();
        await using var app = await DialedApp.StartAsync(
            broker,
            tls,
            map =>
            {
                map.MapGet("/", async (HttpContext context) =>
                {
                    var writing = context.Response.Body.WriteAsync(bytes).AsTask();
                    Assert.False(writing.IsCompleted);
                    blocked.SetResult();
                    await writing;
                });
                map.MapPost("/", async (HttpRequest request) =>
                {
                    await mayRead.Task;
                    Assert.Equal(bytes, await request.Body.ReadToEndAsync());
                    return "all of it";
                });
            },
            build => build.WebHost.ConfigureKestrel(kestrel =>
            {
                kestrel.Limits.MaxRequestBodySize = null;
                kestrel.Limits.MinResponseDataRate = null;
                kestrel.Limits.MinRequestBodyDataRate = null;
            }));
        var client = app.Client();
        using var download = await client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead);
        await blocked.Task.WaitAsync(Patience.Long);
        var uploading = client.PostAsync("/", new ByteArrayContent(bytes));
        Assert.Equal(bytes, await (await download.Content.ReadAsStreamAsync()).ReadToEndAsync());
        Assert.False(uploading.IsCompleted);
        mayRead.SetResult();
        using var uploaded = await uploading.WaitAsync(Patience.Long);
        Assert.Equal("all of it", await uploaded.Content.ReadAsStringAsync());
        Assert.InRange(await ToDialerAsync(app), bytes.Length, bytes.Length * 2);
    }

    private static async Task<double> ToDialerAsync(DialedApp app)
    {
        var metrics = await Scrape.ReadAsync(app.App.Services.GetRequiredService<CollectorRegistry>());
        var value = Regex.Match(metrics, @"whip_agent_relay_bytes_total\{direction=""to_dialer""\} (\S+)").Groups[1].Value;
        return double.Parse(value, CultureInfo.InvariantCulture);
    }
}
