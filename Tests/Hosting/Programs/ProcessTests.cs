using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Whip.Tests.Hosting.Programs;

/// <summary>What a program promises to whoever starts it, on the built broker.</summary>
public sealed class ProcessTests
{
    private static readonly string[] FreePorts =
    [
        "--tls=false",
        .. new[] { "grpc", "tcp", "dial", "metrics", "admin" }.Select(listener => $"--{listener}-listen=127.0.0.1:0"),
    ];

    [SkippableTheory]
    [InlineData(PosixSignal.SIGTERM)]
    [InlineData(PosixSignal.SIGINT)]
    [InlineData(PosixSignal.SIGQUIT)]
    public async Task It_tells_its_addresses_serves_and_ends_with_0_on_a_signal(PosixSignal signal)
    {
        Skip.If(signal != PosixSignal.SIGTERM && IgnoresInterrupts(), "a shell that runs the tests in the background has programs ignore the others");
        await using var broker = await WhipProcess.StartReadyAsync("whip-broker", FreePorts);
        Assert.Equal(["admin", "dial", "grpc", "metrics", "tcp"], broker.Addresses.Keys.Order());
        using (var http = new HttpClient())
        using (var response = await http.GetAsync(new Uri($"http://{broker.Addresses["metrics"]}/readyz")).WaitAsync(Patience.Long))
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        broker.Signal(signal switch
        {
            PosixSignal.SIGINT => ProcessSignal.Interrupt,
            PosixSignal.SIGQUIT => ProcessSignal.Quit,
            _ => ProcessSignal.Terminate,
        });
        Assert.Equal(0, await broker.ExitCodeAsync());
        Assert.Single(broker.Output);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INF Whip whip-broker \S+ starts$", broker.Error[0]);
        Assert.EndsWith(" INF Whip Stopped", broker.Error[^1]);
    }

    [Fact]
    public async Task SIGHUP_reads_the_files_again_and_tells_what_is_refused()
    {
        using var folder = new TempFolder();
        var policy = folder.Write("policy.json", "[]");
        await using var broker = await WhipProcess.StartReadyAsync("whip-broker", [.. FreePorts, "--dial-policy", policy]);
        folder.Write("policy.json", """[{"dialer": "*", "name": "*"}]""");
        broker.Signal(ProcessSignal.Hangup);
        await broker.ErrorLineAsync("SIGHUP: ");
        Assert.Contains("rule 1: allow: must be true or false", await broker.ErrorLineAsync("is refused and the one before it stays"));
        folder.Write("policy.json", """[{"dialer": "*", "name": "*", "allow": true}]""");
        broker.Signal(ProcessSignal.Hangup);
        await broker.ErrorLineAsync("is in force with 1 rules");
        broker.Signal(ProcessSignal.Terminate);
        Assert.Equal(0, await broker.ExitCodeAsync());
    }

    [Fact]
    public async Task It_logs_every_option_with_its_source_once_and_no_secret()
    {
        var secrets = new Dictionary<string, string> { ["WHIP_POSTGRES"] = "postgres://whip:hunter2@127.0.0.1:1/whip", ["WHIP_ZONE"] = "eu" };
        string[] cluster = ["--cluster=orleans", "--silo-listen=127.0.0.1:0", "--gateway-listen=off"];
        await using var broker = WhipProcess.Start("whip-broker", [.. FreePorts, .. cluster], secrets);
        await broker.ErrorLineAsync("Options: ");
        broker.Signal(ProcessSignal.Terminate);
        Assert.Equal(0, await broker.ExitCodeAsync());
        var line = Assert.Single(broker.Error, line => line.Contains("Options: ", StringComparison.Ordinal));
        Assert.Contains("grpc-listen=127.0.0.1:0 (--grpc-listen), ", line);
        Assert.Contains("postgres=*** (WHIP_POSTGRES), ", line);
        Assert.Contains("zone=eu (WHIP_ZONE), ", line);
        Assert.Contains("drain-timeout=30s (default), ", line);
        Assert.DoesNotContain(broker.Error, text => text.Contains("hunter2", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("grpc-listen")]
    [InlineData("tcp-listen")]
    [InlineData("dial-listen")]
    [InlineData("admin-listen")]
    [InlineData("metrics-listen")]
    public async Task A_taken_address_ends_it_with_2_and_a_line_that_names_the_flag(string flag)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await using var broker = WhipProcess.Start("whip-broker", WithAddress($"--{flag}", taken.LocalEndpoint));
        Assert.Equal(2, await broker.ExitCodeAsync());
        Assert.Empty(broker.Output);
        Assert.Equal(
            $"whip-broker: --{flag} \"{taken.LocalEndpoint}\": the address is in use; try another port, or port 0 for any free one", broker.Error[^1]);
    }

    [Theory]
    [InlineData("grpc")]
    [InlineData("tcp")]
    [InlineData("dial")]
    [InlineData("admin")]
    [InlineData("metrics")]
    public async Task An_address_that_only_an_outgoing_connection_has_is_waited_for(string listener)
    {
        using var taken = new OutgoingConnection();
        await using var broker = WhipProcess.Start("whip-broker", WithAddress($"--{listener}-listen", taken.LocalEndPoint));
        await broker.ErrorLineAsync($"--{listener}-listen \"{taken.LocalEndPoint}\": the address is in use, though nobody listens there");
        Assert.Empty(broker.Output);
        taken.Dispose();
        await broker.ReadyAsync();
        Assert.Equal(taken.LocalEndPoint, broker.Addresses[listener]);
        Assert.Single(broker.Error, line => line.Contains("waiting for it until", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_signal_ends_the_wait_for_an_address()
    {
        using var taken = new OutgoingConnection();
        await using var broker = WhipProcess.Start("whip-broker", WithAddress("--grpc-listen", taken.LocalEndPoint));
        await broker.ErrorLineAsync("waiting for it until");
        broker.Signal(ProcessSignal.Terminate);
        Assert.Equal(0, await broker.ExitCodeAsync());
        Assert.Empty(broker.Output);
    }

    [Theory]
    [InlineData("--postgres", "--postgres=x")]
    [InlineData("WHIP_POSTGRES", "")]
    public async Task An_option_that_needs_another_one_is_named_as_it_was_given(string given, string flag)
    {
        var variables = new Dictionary<string, string> { ["WHIP_POSTGRES"] = "x" };
        await using var broker = WhipProcess.Start(
            "whip-broker", flag.Length > 0 ? [.. FreePorts, flag] : FreePorts, flag.Length > 0 ? null : variables);
        Assert.Equal(2, await broker.ExitCodeAsync());
        Assert.Equal($"whip-broker: {given}: has a meaning in a cluster only; try --cluster orleans, or leave it out", Assert.Single(broker.Error));
    }

    [Theory]
    [InlineData(">/dev/full")]
    [InlineData(">&-")]
    public async Task It_serves_although_standard_output_is_full_or_closed(string redirection)
    {
        string[] shell = ["-c", $"exec \"$0\" \"$@\" {redirection}", Path.Combine(AppContext.BaseDirectory, "whip-broker"), .. FreePorts];
        await using var broker = WhipProcess.Start("whip-broker", "/bin/bash", shell, environment: null);
        var serving = await broker.ErrorLineAsync("Serving: ");
        await broker.ErrorLineAsync("the ready line cannot be written to standard output: ");
        using (var http = new HttpClient())
        {
            var metrics = serving.Split("metrics=")[1].Split(' ')[0];
            Assert.Equal("ok", (await http.GetStringAsync(new Uri($"http://{metrics}/healthz")).WaitAsync(Patience.Long)).Trim());
        }

        broker.Signal(ProcessSignal.Terminate);
        Assert.Equal(0, await broker.ExitCodeAsync());
    }

    [Fact]
    public async Task A_missing_certificate_ends_it_with_2_and_a_line_that_names_the_flag()
    {
        await using var broker = WhipProcess.Start("whip-broker", ["--tls-cert-path", "/nowhere/cert.pem", .. FreePorts[1..]]);
        Assert.Equal(2, await broker.ExitCodeAsync());
        Assert.StartsWith("whip-broker: --tls-", broker.Error[^1]);
        Assert.Contains("; try ", broker.Error[^1]);
    }

    [Fact]
    public async Task Logs_are_json_when_asked_also_by_the_environment()
    {
        await using var broker = WhipProcess.Start("whip-broker", FreePorts, new Dictionary<string, string> { ["WHIP_LOG_FORMAT"] = "json" });
        await broker.ReadyAsync();
        Assert.Contains("\"event\":\"Serving\"", await broker.ErrorLineAsync("\"Serving\""));
    }

    private static IEnumerable<string> WithAddress(string flag, EndPoint address) =>
        FreePorts.Select(arg => arg.StartsWith(flag, StringComparison.Ordinal) ? $"{flag}={address}" : arg);

    private static bool IgnoresInterrupts()
    {
        var ignored = File.ReadLines("/proc/self/status").First(l => l.StartsWith("SigIgn:", StringComparison.Ordinal)).Split('\t')[1];
        return (Convert.ToUInt64(ignored, 16) & (1 << (2 - 1))) != 0;
    }
}
