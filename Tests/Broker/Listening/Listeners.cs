using System.Net;
using System.Net.Sockets;

namespace Whip.Tests.Broker.Listening;

/// <summary>The broker's three listeners, so that one test body runs at each.</summary>
internal static class Listeners
{
    public static IPEndPoint EndPoint(TestBroker broker, string listener) => listener switch
    {
        "grpc" => broker.Broker.GrpcEndPoint!,
        "rendezvous" => broker.Broker.TcpEndPoint!,
        _ => broker.Broker.DialEndPoint!,
    };

    public static async Task<Socket> ConnectAsync(TestBroker broker, string listener)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(EndPoint(broker, listener)).WaitAsync(Patience.Long);
        return socket;
    }

    /// <summary>Why this client was refused; there must be one line of it, once nothing more can come.</summary>
    public static async Task<string> RefusalAsync(TestBroker broker, EndPoint client)
    {
        var line = await broker.Logs.WaitForAsync(record => IsAbout(record, client), $"a line about {client}");
        await broker.AssertNothingLeftAsync();
        Assert.Single(broker.Logs.Records, record => IsAbout(record, client));
        return line.Message;
    }

    public static async Task AssertRejectedOnceAsync(TestBroker broker, string listener, string reason) =>
        Assert.Contains($"whip_broker_rejected_connections_total{{listener=\"{listener}\",reason=\"{reason}\"}} 1\n", await broker.ScrapeAsync());

    private static bool IsAbout(CapturedRecord record, EndPoint client) =>
        record.Message.Contains($"{client} ", StringComparison.Ordinal) || record.Message.Contains($"{client}:", StringComparison.Ordinal);
}
