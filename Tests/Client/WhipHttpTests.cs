using System.Net.Security;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Whip.Client;
using Whip.Protocol.Dialing;

namespace Whip.Tests.Client;

public sealed class WhipHttpTests
{
    private const string Answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

    [Theory, PlainAndTls]
    public async Task Requests_to_one_name_share_a_dial(bool tls)
    {
        await using var front = new FakeDialFront(tls, async connection =>
        {
            await connection.EstablishAsync();
            while (await connection.ReadHeadAsync() is { Length: > 0 })
            {
                await connection.WriteAsync(Answer);
            }
        });
        using var client = new HttpClient(WhipHttp.CreateHandler(Dialers.To(tls, front)));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("hello", await client.GetStringAsync("http://instance1.testdom:5051/").WaitAsync(Patience.Long));
        }

        Assert.Equal(1, front.Accepted);
    }

    [Theory, PlainAndTls]
    public async Task An_https_service_is_spoken_to_end_to_end(bool tls)
    {
        await using var front = new FakeDialFront(tls, async connection =>
        {
            await connection.EstablishAsync();
            await using var service = new SslStream(connection.Stream, leaveInnerStreamOpen: true);
            await service.AuthenticateAsServerAsync(TestCertificates.Shared.BrokerIdentity.Certificate);
            using var reader = new StreamReader(service, leaveOpen: true);
            while (await reader.ReadLineAsync() is { Length: > 0 })
            {
            }

            await service.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"u8.ToArray());
        });
        var handler = WhipHttp.CreateHandler(Dialers.To(tls, front));
        handler.SslOptions.RemoteCertificateValidationCallback = (_, leaf, _, _) => TestCertificates.Shared.BrokerIdentity.Certificate.Equals(leaf);
        using var client = new HttpClient(handler);
        Assert.Equal("hello", await client.GetStringAsync("https://instance1.testdom:443/").WaitAsync(Patience.Long));
    }

    [Fact]
    public async Task A_service_whose_TLS_is_refused_sees_its_connection_end()
    {
        var ended = new TaskCompletionSource();
        await using var front = new FakeDialFront(false, async connection =>
        {
            await connection.EstablishAsync();
            await using var service = new SslStream(connection.Stream, leaveInnerStreamOpen: true);
            await service.AuthenticateAsServerAsync(TestCertificates.Shared.BrokerIdentity.Certificate);
            await connection.WaitForEndAsync();
            ended.SetResult();
        });
        using var client = new HttpClient(WhipHttp.CreateHandler(Dialers.To(false, front)));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync("https://instance1.testdom/").WaitAsync(Patience.Long));
        await ended.Task.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task A_dial_that_fails_is_inside_the_request_exception()
    {
        await using var front = new FakeDialFront(false, async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 404 Not Found\r\nWhip-Outcome: no-such-domain\r\nContent-Length: 8\r\n\r\nnothing\n");
        });
        using var client = new HttpClient(WhipHttp.CreateHandler(Dialers.To(false, front)));
        var error = await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync("http://a.b/").WaitAsync(Patience.Long));
        var dial = Assert.IsType<WhipDialException>(error.InnerException);
        Assert.Equal((DialOutcome.NoSuchDomain, "nothing", "a.b:80"), (dial.Outcome, dial.Reason, dial.Name));
    }

    [Fact]
    public async Task A_named_client_dials_with_the_registered_dialer()
    {
        await using var front = new FakeDialFront(false, async connection =>
        {
            var head = await connection.ReadHeadAsync();
            await connection.WriteAsync(FakeDialConnection.Established);
            await connection.ReadHeadAsync();
            await connection.WriteAsync(head.Contains("\r\nWhip-Wait: 3\r\n", StringComparison.Ordinal) ? Answer : "HTTP/1.1 500 x\r\n\r\n");
        });
        var services = new ServiceCollection();
        services.AddWhipDialer(options =>
        {
            options.Brokers.Add(front.Authority);
            options.Tls.Enabled = false;
        });
        services.AddHttpClient("whip").UseWhip(wait: TimeSpan.FromSeconds(3));
        await using var provider = services.BuildServiceProvider();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("whip");
        Assert.Equal("hello", await client.GetStringAsync("http://testdom/").WaitAsync(Patience.Long));
    }

    [Fact]
    public void A_dialer_without_brokers_fails_the_start()
    {
        using var provider = new ServiceCollection().AddWhipDialer(_ => { }).BuildServiceProvider();
        var error = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IStartupValidator>().Validate());
        Assert.Equal("WhipDialerOptions.Brokers \"\": not a HOST:PORT; try broker1.example:8010", error.Message);
    }
}
