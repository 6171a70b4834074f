using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Whip.Agent;
using Whip.Broker;
using Whip.Client;
using Whip.Protocol.Dialing;
using Whip.Protocol.Tls;

namespace Whip.Tests.Docs;

/// <summary>The README's programs, compiled. A test compares each region with the block of its name.</summary>
internal static class EmbeddingSnippets
{
    public static async Task DialAsync(ReadOnlyMemory<byte> request, Stream answer, CancellationToken cancellationToken)
    {
        #region Dial
        var dialer = new WhipDialer(new WhipDialerOptions
        {
            Brokers = ["broker.example.com:8010"],
            Tls = new WhipTlsOptions { CertPath = "dialer-cert.pem", KeyPath = "dialer-key.pem", CaCertPath = "ca-cert.pem" },
        });
        try
        {
            await using var stream = await dialer.DialAsync("instance1.testdom", 5051, cancellationToken);
            await stream.WriteAsync(request, cancellationToken);
            await stream.CompleteWritesAsync(cancellationToken); // The service reads its end of stream, and may go on writing.
            await stream.CopyToAsync(answer, cancellationToken);
        }
        catch (WhipDialException failure) when (failure.Outcome is DialOutcome.NoSuchHost or DialOutcome.NoSuchDomain)
        {
            Console.WriteLine($"{failure.Name} is not there: {failure.Reason}");
        }
        #endregion
    }

    public static void AddHttp(IServiceCollection services)
    {
        #region Http
        services.AddWhipDialer(options =>
        {
            options.Brokers.Add("broker.example.com:8010");
            options.Tls = new WhipTlsOptions { CertPath = "dialer-cert.pem", KeyPath = "dialer-key.pem", CaCertPath = "ca-cert.pem" };
        });
        services.AddHttpClient("inside").UseWhip(wait: TimeSpan.FromSeconds(10)); // Waits for an agent that is not there yet.
        #endregion
    }

    public static async Task GetAsync(IHttpClientFactory clients)
    {
        #region HttpGet
        var page = await clients.CreateClient("inside").GetStringAsync("http://instance1.testdom:5051/healthz");
        #endregion
        Console.Write(page);
    }

    public static async Task EmbedBrokerAsync(HostApplicationBuilder builder, CancellationToken cancellationToken)
    {
        #region Broker
        builder.Services.AddWhipBroker(options =>
        {
            options.ExternalTcp = "broker.example.com:8000";
            options.DialListen = ""; // No dial front: nobody but this program dials.
            options.Tls = new WhipTlsOptions { CertPath = "broker-cert.pem", KeyPath = "broker-key.pem", CaCertPath = "ca-cert.pem" };
        });
        using var host = builder.Build();
        await host.StartAsync(cancellationToken);
        var inProcess = host.Services.GetRequiredService<IWhipDialer>();
        var result = await inProcess.TryDialAsync(new DialRequest("testdom", 5051) { Wait = TimeSpan.FromSeconds(30) }, cancellationToken);
        Console.WriteLine(result.IsConnected ? "connected" : $"{result.Outcome}: {result.Reason}");
        #endregion
    }

    public static void AddAgent(IServiceCollection services)
    {
        #region Agent
        services.AddWhipAgent(options =>
        {
            (options.Hostname, options.Domain) = ("instance1", "testdom");
            options.Ports.Add(5051);
            options.Endpoints.Add("broker.example.com:50051");
            options.Tls = new WhipTlsOptions { CertPath = "agent-cert.pem", KeyPath = "agent-key.pem", CaCertPath = "ca-cert.pem" };
        });
        #endregion
    }
}
