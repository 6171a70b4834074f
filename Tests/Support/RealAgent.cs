using Prometheus;
using Whip.Agent;
using Whip.Protocol.Tls;

namespace Whip.Tests.Support;

/// <summary>Starts a real agent of this process at a broker.</summary>
internal static class RealAgent
{
    /// <summary>An agent of <c>a.testdom</c> that has registered.</summary>
    /// <param name="broker">Its broker.</param>
    /// <param name="port">The one it publishes.</param>
    /// <param name="tls">Its files.</param>
    /// <param name="logs">Gets its log.</param>
    /// <param name="time">The clock; null is the system's.</param>
    public static async Task<WhipAgent> StartAsync(TestBroker broker, int port, WhipTlsOptions tls, CapturedLogs logs, TimeProvider? time = null)
    {
        var options = new WhipAgentOptions
        {
            Hostname = "a",
            Domain = "testdom",
            Ports = [port],
            Endpoints = [$"{broker.Broker.GrpcEndPoint}"],
            Tls = tls,
        };
        var agent = new WhipAgent(
            options, WhipAgent.NewOpenings(TimeProvider.System), logs, Metrics.NewCustomRegistry(), time ?? TimeProvider.System);
        await agent.StartAsync();
        await Patience.UntilAsync(() => agent.IsReady, "the registration");
        return agent;
    }
}
