using System.Net;
using System.Net.Sockets;
using Whip.Broker;
using Whip.Hosting.Flags;

namespace Whip.Tests.Broker.Cluster;

/// <summary>What users get wrong about the silo of a broker.</summary>
public sealed class OrleansFlagsTests
{
    private static readonly string[] Plain =
    [
        "--tls=false", "--grpc-listen", ":0", "--tcp-listen", ":0", "--dial-listen", ":0", "--metrics-listen=", "--admin-listen=",
        "--cluster", "orleans", "--postgres", "Host=127.0.0.1;Port=1;Username=whip",
    ];

    [Fact]
    public void There_is_no_gateway_unless_it_is_asked_for() =>
        Assert.Null(ListenAddress.ParseOrOff("gateway-listen", new WhipBrokerOptions().GatewayListen));

    [Theory]
    [InlineData("--silo-listen", "0.0.0.0:0", "without TLS a cluster lives on the loopback interface of one machine")]
    [InlineData("--gateway-listen", "0.0.0.0:0", "without TLS a cluster lives on the loopback interface of one machine")]
    [InlineData("--silo-listen", "192.0.2.1:11111", "")]
    [InlineData("--external-silo", "no-such-host.invalid:1", "the host name is not known")]
    public async Task A_bad_address_of_the_silo_ends_it_with_exit_code_2(string flag, string value, string problem)
    {
        string[] rest = flag == "--silo-listen" ? [] : ["--silo-listen", "127.0.0.1:0"];
        string[] gateway = flag == "--gateway-listen" ? [] : ["--gateway-listen="];
        await using var broker = WhipProcess.Start("whip-broker", [.. Plain, .. rest, .. gateway, flag, value]);
        var line = await broker.ErrorLineAsync("whip-broker: ");
        Assert.StartsWith($"whip-broker: {flag} \"{value.Split(':')[0]}", line);
        Assert.Contains(problem, line);
        Assert.Equal(2, await broker.ExitCodeAsync());
    }

    [Theory]
    [InlineData("--silo-listen")]
    [InlineData("--gateway-listen")]
    public async Task A_port_of_the_silo_that_an_outgoing_connection_has_is_waited_for(string flag)
    {
        using var taken = new OutgoingConnection();
        string[] rest = flag == "--silo-listen" ? ["--gateway-listen="] : ["--silo-listen", "127.0.0.1:0"];
        await using var broker = WhipProcess.Start("whip-broker", [.. Plain, .. rest, flag, $"{taken.LocalEndPoint}"]);
        await broker.ErrorLineAsync($"{flag} \"{taken.LocalEndPoint}\": the address is in use, though nobody listens there");
        taken.Dispose();

        // Now it goes on, and waits for the database.
        await broker.ErrorLineAsync("PostgreSQL at 127.0.0.1:1");
    }

    [Theory]
    [InlineData("--silo-listen")]
    [InlineData("--gateway-listen")]
    public async Task A_port_of_the_silo_that_is_taken_ends_it_with_exit_code_2(string flag)
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        string[] rest = flag == "--silo-listen" ? ["--gateway-listen="] : ["--silo-listen", "127.0.0.1:0"];
        await using var broker = WhipProcess.Start("whip-broker", [.. Plain, .. rest, flag, $"{other.LocalEndpoint}"]);
        Assert.StartsWith($"whip-broker: {flag} \"{other.LocalEndpoint}\": the address is in use", await broker.ErrorLineAsync("whip-broker: "));
        Assert.Equal(2, await broker.ExitCodeAsync());
    }
}
