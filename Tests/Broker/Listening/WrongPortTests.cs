using System.Net;
using System.Text;
using Grpc.Core;
using Whip.Cli.Admin;
using Whip.Client;
using Whip.Protocol.Admin;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Tests.Broker.Listening;

/// <summary>
/// Every kind of client at every port that is not its own: it is told which port that is and which it wants, and one line of the log says so too.
/// </summary>
public sealed class WrongPortTests(WrongPortTests.Brokers brokers) : IClassFixture<WrongPortTests.Brokers>
{
    private static readonly string[] Clients = ["agent", "dialer", "leg", "curl", "status"];
    private static readonly string[] Ports = ["grpc", "rendezvous", "dial", "silo", "metrics", "admin", "proxy"];

    public static TheoryData<string, string, bool, bool> Mistakes()
    {
        var rows = new TheoryData<string, string, bool, bool>();
        foreach (var (client, port) in Clients.SelectMany(_ => Ports, (client, port) => (client, port)))
        {
            foreach (var (portTls, clientTls) in new[] { (false, false), (true, true), (true, false), (false, true) })
            {
                if (!BelongsThere(client, port, portTls, clientTls) && !(client == "status" && clientTls))
                {
                    rows.Add(client, port, portTls, clientTls);
                }
            }
        }

        return rows;
    }

    [SkippableTheory]
    [MemberData(nameof(Mistakes))]
    public async Task A_client_at_the_wrong_port_is_told_so_at_both_ends(string client, string port, bool portTls, bool clientTls)
    {
        var ports = await brokers.AtAsync(portTls, clientTls);
        var broker = ports.Broker;

        // Certificates that are no broker's have one line a minute.
        var logged = IsRationed() ? 0 : broker.Logs.Records.Count;
        var told = await VisitAsync(client, ports.EndPoint(port), clientTls);
        Assert.All(Told(client, port, portTls, clientTls), text => Assert.Contains(text, told));
        if (Logged(client, port, portTls, clientTls) is { } line)
        {
            await Patience.UntilAsync(() => Lines().Any(), $"a line that {line}");
            Assert.True(IsRationed() || Lines().Count() == 1, "one line of each");
        }

        bool IsRationed() => portTls && clientTls && port == "silo";

        IEnumerable<CapturedRecord> Lines() => broker.Logs.Records.Skip(logged).Where(record =>
            record.Event.Name is "Refused" or "LegRefused" or "ClientRefused"
                && record.Message.Contains(Logged(client, port, portTls, clientTls)!, StringComparison.Ordinal));
    }

    private static bool BelongsThere(string client, string port, bool portTls, bool clientTls) => (client, port) switch
    {
        ("agent", "grpc") or ("dialer", "dial") or ("leg", "rendezvous") => portTls == clientTls,
        ("status", "admin") => true,

        // Everybody else may be a client of the proxy.
        (not ("agent" or "leg"), "proxy") => portTls == clientTls || client == "status",
        ("curl", "metrics" or "admin") => !clientTls,
        _ => false,
    };

    private static bool SpeaksTls(string port, bool portTls) => portTls && port is not ("metrics" or "admin");

    /// <summary>What the client's own message has; a client that only brings a leg, or that is refused by its certificate, cannot be told.</summary>
    private static string[] Told(string client, string port, bool portTls, bool clientTls)
    {
        if (clientTls && !SpeaksTls(port, portTls))
        {
            return client switch { "agent" => ["speak no TLS"], "dialer" => ["is it the dial port of a broker with TLS?"], _ => [] };
        }

        if (clientTls && port == "silo")
        {
            return client switch
            {
                // The alert that says so may be lost: the broker ends the connection behind it.
                "agent" => ["gRPC port", "(--grpc-listen)"],
                "dialer" => ["or this is not its dial port"],
                _ => [],
            };
        }

        var flag = port switch { "rendezvous" => "--tcp-listen", "proxy" => "--proxy-listen-port", _ => $"--{port}-listen" };
        var whose = port switch { "metrics" => "whip-x", "proxy" => "whip-proxy", _ => "broker b1" };
        var which = $"this is the {port} port of {whose} ({flag}); ";
        return (client, port) switch
        {
            ("leg", _) => [],
            ("dialer" or "curl", "proxy") => ["whip-proxy: this port speaks TLS: use https:// as the proxy's URL"],
            ("status", "metrics") => ["is not a broker's admin listener", "only /metrics, /healthz and /readyz are served here"],
            ("agent", "grpc") => [which, "run the agent without --tls=false"],
            ("dialer", "dial") => [which, "use an https proxy URL and a client certificate"],
            ("agent", _) => [which, "agents register at the gRPC port (--grpc-listen)"],
            ("dialer", _) => [which, "dialers send CONNECT to the dial port (--dial-listen)"],
            ("status", _) => [which, "the admin port (--admin-listen)"],
            _ => [which, "--dial-listen"],
        };
    }

    private static string? Logged(string client, string port, bool portTls, bool clientTls) =>
        clientTls && !SpeaksTls(port, portTls) ? port switch
        {
            "grpc" => "it speaks TLS, and this broker runs with --tls=false",
            "rendezvous" or "dial" => "TLS spoken to a plain port",
            _ => "it speaks TLS, and this port does not",
        }
        : port == "proxy" && client is "dialer" or "curl" ? "it speaks plain text to a TLS port"
        : clientTls && port == "silo" ? "only brokers of the cluster connect here (--silo-listen)"
        : client switch
        {
            "agent" => "it speaks gRPC",
            "dialer" => "it sent CONNECT",
            "leg" => "it sent the preamble of an agent's leg",
            "status" => port == "metrics" ? null : "it asked the admin API",
            _ => "it speaks HTTP/1",
        };

    /// <returns>What the user of the client reads.</returns>
    private static async Task<string> VisitAsync(string client, IPEndPoint port, bool tls)
    {
        var identity = tls ? TestCertificates.Shared.ClientIdentity("a.testdom") : null;
        switch (client)
        {
            case "agent":
                return await RegisterAsync(port, identity);
            case "dialer":
                var dialer = new WhipDialer(new WhipDialerOptions { Brokers = [$"{port}"] }, identity, TimeProvider.System, first: 0);
                return (await dialer.TryDialAsync(new DialRequest("a.testdom", 80)).AsTask().WaitAsync(Patience.Long)).Reason;
            case "status":
                using (var admin = new AdminClient(null))
                {
                    return (await admin.AskAsync($"{port}", "/api/status", AdminJson.Default.BrokerStatus, default).WaitAsync(Patience.Long)).Problem!;
                }

            case "leg":
                return await ExchangeAsync(port, identity, LegPreamble.Write("x"));
            default:
                return await ExchangeAsync(port, identity, Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {port}\r\nConnection: close\r\n\r\n"));
        }
    }

    private static async Task<string> RegisterAsync(IPEndPoint port, TlsIdentity? identity)
    {
        try
        {
            using var call = await ControlCall.OpenAsync(port, identity, HostPort.Of(port));
            await RegisterAsync(call);
            return (await call.EndAsync()).Detail;
        }
        catch (RpcException error)
        {
            return error.Status.Detail;
        }
    }

    private static async Task RegisterAsync(ControlCall call)
    {
        try
        {
            await call.WriteAsync(new RequestStream { Register = new Register { Hostname = "a", Domain = "testdom", Ports = { 1 } } });
        }
        catch (Exception error) when (error is RpcException or IOException or HttpRequestException)
        {
            // The call has ended already.
        }
    }

    private static async Task<string> ExchangeAsync(IPEndPoint port, TlsIdentity? identity, byte[] request)
    {
        await using var leg = await Leg.ConnectAsync(port, default).WaitAsync(Patience.Long);
        var answer = new MemoryStream();
        try
        {
            if (identity is not null)
            {
                await leg.AuthenticateAsClientAsync(identity, "127.0.0.1", default).WaitAsync(Patience.Long);
            }

            await leg.WriteAsync(request);
            await leg.CopyToAsync(answer).WaitAsync(Patience.Long);
        }
        catch (Exception error) when (error is IOException or LegHandshakeException)
        {
            // It was refused.
        }

        return Encoding.Latin1.GetString(answer.ToArray());
    }

    /// <summary>Ports for each combination: more than ten refused connections a minute are only counted in the log of a listener.</summary>
    public sealed class Brokers : IAsyncLifetime
    {
        private readonly Dictionary<(bool, bool), AllPorts> _started = [];

        public Task InitializeAsync() => Task.CompletedTask;

        public async Task DisposeAsync()
        {
            foreach (var started in _started.Values)
            {
                await started.DisposeAsync();
            }
        }

        internal async Task<AllPorts> AtAsync(bool portTls, bool clientTls)
        {
            if (!_started.TryGetValue((portTls, clientTls), out var started))
            {
                started = _started[(portTls, clientTls)] = await AllPorts.StartAsync(portTls);
            }

            return started;
        }
    }
}
