using System.Text;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;
using Whip.Tests.Broker.Listening;

namespace Whip.Tests.Broker.Rendezvous;

/// <summary>
/// --external-tcp leads the legs of agents to a port that is for others: the dial fails by name, before its deadline, and the agent is told too.
/// </summary>
public sealed class MisledLegTests
{
    public static TheoryData<string, bool> Ports => new()
    {
        { "grpc", false }, { "dial", false }, { "silo", false }, { "admin", false }, { "metrics", false }, { "proxy", false },
        { "grpc", true }, { "dial", true }, { "proxy", true },
    };

    [SkippableTheory]
    [MemberData(nameof(Ports))]
    public async Task A_leg_at_another_port_fails_its_dial_and_both_ends_are_told_which_port_it_is(string port, bool tls)
    {
        await using var ports = await AllPorts.StartAsync(tls);
        await using var agent = await ports.Broker.RegisterAsync();
        var why = await AssertFailsAsync(ports, port, agent);
        Assert.Equal(why, (await agent.NextAsync(ResponseStream.StreamOneofCase.Cancel)).Cancel.Reason);
    }

    [SkippableFact]
    public async Task So_does_that_of_an_original_agent()
    {
        await using var ports = await AllPorts.StartAsync(tls: false);
        await using var agent = await ScriptedAgent.RegisterAsync(ports.Broker, "instance1.testdom", [5051], register => register.AgentId = "");
        await AssertFailsAsync(ports, "dial", agent);
    }

    private static async Task<string> AssertFailsAsync(AllPorts ports, string port, ScriptedAgent agent)
    {
        await using var dialer = await ports.Broker.BeginDialAsync(headers: "Whip-Deadline: 60000\r\n");
        var connect = await agent.NextConnectAsync();
        await using var leg = await Leg.ConnectAsync(ports.EndPoint(port), default).WaitAsync(Patience.Long);
        if (ports.Broker.Client(agent.Name) is { } identity)
        {
            await leg.AuthenticateAsClientAsync(identity, "127.0.0.1", default).WaitAsync(Patience.Long);
        }

        await leg.WriteAsync(LegPreamble.Write(connect.ConnectionID));

        // An end of stream could be the dialer's.
        await Assert.ThrowsAnyAsync<IOException>(() => leg.CopyToAsync(Stream.Null).WaitAsync(Patience.Long));
        Assert.StartsWith("HTTP/1.1 502 ", await TestBroker.ReadHeadAsync(dialer).WaitAsync(Patience.Long));
        var whose = port == "proxy" ? "whip-proxy (--proxy-listen-port)" : port == "metrics" ? "whip-x (--metrics-listen)" : $"broker b1 (--{port}-listen)";
        var why = $"this is the {port} port of {whose}; agents bring their legs to the rendezvous port (--tcp-listen), to which --external-tcp must lead";
        Assert.Equal($"instance1.testdom: its leg was refused: {why}\n", Encoding.ASCII.GetString(await dialer.ReadToEndAsync()));
        return why;
    }
}
