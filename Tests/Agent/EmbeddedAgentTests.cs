using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Whip.Agent;

namespace Whip.Tests.Agent;

public sealed class EmbeddedAgentTests : AgentTest
{
    [Fact]
    public async Task A_host_runs_the_agents_it_was_given()
    {
        var broker = await StartBrokerAsync();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        foreach (var hostname in new[] { "a", "b" })
        {
            builder.Services.AddWhipAgent(o =>
            {
                (o.Hostname, o.Domain, o.Tls.Enabled) = (hostname, "testdom", false);
                o.Ports.Add(5051);
                o.Endpoints.Add($"127.0.0.1:{broker.Grpc.Port}");
            });
        }

        using var host = builder.Build();
        await host.StartAsync().WaitAsync(Patience.Long);
        var streams = new[] { await broker.RegisterAsync(), await broker.RegisterAsync() };
        Assert.Equal(["a", "b"], streams.Select(s => s.Register.Hostname).Order());
        foreach (var stream in streams)
        {
            stream.End(Grpc.Core.Status.DefaultSuccess);
        }

        await host.StopAsync().WaitAsync(Patience.Long);
    }

    [Fact]
    public void An_option_that_cannot_work_is_an_argument_error_that_says_which() =>
        Assert.Contains("Domain", Assert.ThrowsAny<ArgumentException>(() => new WhipAgent(new WhipAgentOptions { Tls = { Enabled = false } })).Message);
}
