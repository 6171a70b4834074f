using System.Globalization;
using System.Text;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Tests.Broker.DialFront;

/// <summary>The steps of a dialer that keeps its connection to a real dial front, by hand.</summary>
public abstract class KeptDialTest
{
    private protected const string Token = "0123456789abcdef";
    private protected const string Keep = $"Connection: Whip-Keep\r\nWhip-Keep: {Token}\r\n";
    private protected const string Target = "instance1.testdom:5051";

    private protected static readonly byte[] End = [1, 0, 0, 0];
    private protected static readonly byte[] Done = [5, 0, 0, 0];

    private protected static async Task UntilIdleAsync(TestBroker broker, int count) =>
        await Patience.UntilAsync(() => broker.Parts.Kept.Count == count, $"{count} idle connections");

    private protected static async Task AskAsync(Leg dialer, string target, string headers = "", string behind = "") =>
        await dialer.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {target} HTTP/1.1\r\n{Keep}{headers}\r\n{behind}"));

    /// <summary>A dial up to its 200.</summary>
    private protected static async Task<(Leg Leg, Connect Connect)> OpenAsync(ScriptedAgent agent, Leg dialer)
    {
        await AskAsync(dialer, Target);
        var connect = await agent.NextConnectAsync();
        var leg = await agent.BringLegAsync(connect);
        Assert.Equal($"HTTP/1.1 200 Connection established\r\n{Keep}\r\n", await TestBroker.ReadHeadAsync(dialer));
        return (leg, connect);
    }

    /// <summary>A whole dial: a byte each way, and both ends.</summary>
    private protected static async Task ExchangeAsync(TestBroker broker, ScriptedAgent agent, Leg dialer, byte tag)
    {
        var (leg, _) = await OpenAsync(agent, dialer);
        await using (leg)
        {
            await dialer.WriteAsync(new byte[] { 0, 0, 0, 1, tag });
            Assert.Equal([tag], await leg.ReadExactlyAsync(1));
            await leg.WriteAsync(new byte[] { tag });
            Assert.Equal([0, 0, 0, 1, tag], await dialer.ReadExactlyAsync(5));
            await dialer.WriteAsync(End);
            Assert.Empty(await leg.ReadToEndAsync());
        }

        Assert.Equal((byte[])[.. End, .. Done], await dialer.ReadExactlyAsync(8));
        await broker.AssertNothingLeftAsync();
    }

    private protected static async Task<string> ReadRefusalAsync(Leg dialer, int status)
    {
        var head = await TestBroker.ReadHeadAsync(dialer);
        Assert.StartsWith($"HTTP/1.1 {status} ", head);
        Assert.EndsWith($"\r\n{Keep}\r\n", head);
        var length = int.Parse(head.Split("Content-Length: ")[1].Split('\r')[0], CultureInfo.InvariantCulture);
        return Encoding.ASCII.GetString(await dialer.ReadExactlyAsync(length));
    }
}
