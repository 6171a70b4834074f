using Whip.Hosting.Flags;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;
using Whip.Tests.Docs;

namespace Whip.Tests.Deploy;

/// <summary>docker-compose.yml held against the programs it starts.</summary>
public sealed class ComposeTests(ComposeCertificates certificates) : IClassFixture<ComposeCertificates>
{
    [Fact]
    public async Task The_CA_stays_when_certificates_are_made_anew()
    {
        Assert.Contains("wrote ca/ca-cert.pem", certificates.Said);
        Assert.Contains("wrote brokers/broker-1-cert.pem", certificates.Said);
        var again = await certificates.MakeAsync();
        Assert.DoesNotContain("wrote ca/ca-cert.pem", again);
        Assert.Contains("wrote brokers/broker-1-cert.pem", again);
    }

    [SkippableTheory]
    [InlineData("", "WHIP_POSTGRES_PASSWORD=a", "WHIP_PROXY_PASSWORD=b")]
    [InlineData("the password of the proxy", "WHIP_POSTGRES_PASSWORD=a")]
    [InlineData("letters and digits", "WHIP_PROXY_PASSWORD=b")]
    public async Task Compose_takes_the_file_with_both_passwords_only(string problem, params string[] variables)
    {
        Tools.Require("docker-compose");
        var run = await ShellCommand.RunAsync(
            Documents.Root, "env", ["-u", "WHIP_POSTGRES_PASSWORD", "-u", "WHIP_PROXY_PASSWORD", .. variables, "docker-compose", "config", "--quiet"]);
        Assert.Equal(problem.Length == 0, run.ExitCode == 0);
        Assert.Contains(problem, run.Text);
    }

    [SkippableFact]
    public async Task Every_program_takes_its_command_line_and_finds_its_certificates()
    {
        var file = await ComposeFile.ReadAsync();
        var pki = file.Services["pki"];
        Assert.All(file.Programs, service =>
        {
            var run = new ComposeRun(service, certificates.Folder);
            var identity = TlsIdentity.Load(run.Values.Options.Tls!);
            Assert.InRange(identity.NotAfter, DateTimeOffset.UtcNow.AddDays(300), DateTimeOffset.UtcNow.AddDays(400));
            Assert.All(service.Mounts.Where(mount => !mount.Value.StartsWith('.')), mount => Assert.Equal(mount.Value, pki.Mounts[mount.Key]));
            Assert.DoesNotContain(service.Mounts, mount => mount.Value == "ca");
            string[] known = [.. service.Flags.All.Select(flag => flag.Variable!), "WHIP_PROXY_PASSWORD"];
            Assert.All(service.Environment.Keys, variable => Assert.Contains(variable, known));
        });
        Assert.Equal(
            ["whip-agent", "whip-agent", "whip-broker", "whip-broker", "whip-broker", "whip-proxy"],
            file.Programs.Select(service => service.Program).Order());
    }

    [SkippableFact]
    public async Task Every_broker_is_called_what_its_certificate_says()
    {
        var file = await ComposeFile.ReadAsync();
        Assert.All(file.Brokers, service =>
        {
            var run = new ComposeRun(service, certificates.Folder);
            var names = TlsIdentity.Load(run.Values.Options.Tls!).Names;
            Assert.True(names.IsBroker(run["cluster-id"], run["broker-id"]), names.ToString());
            foreach (var (external, listen) in new[] { ("external-grpc", "grpc-listen"), ("external-tcp", "tcp-listen"), ("external-silo", "silo-listen") })
            {
                AssertLeadsTo(service, run.Port(listen), run[external]);
            }

            AssertLeadsTo(service, run.Port("dial-listen"), run["external-dial"]);
            Assert.Equal("orleans", run["cluster"]);
            Assert.Null(ListenAddress.ParseOrOff("gateway-listen", run["gateway-listen"]));
            Assert.True(names.Covers(service.Name) && names.Covers("localhost") && names.Covers("127.0.0.1"), names.ToString());
        });
    }

    [SkippableFact]
    public async Task Everything_finds_the_brokers()
    {
        var file = await ComposeFile.ReadAsync();
        var brokers = file.Brokers.ToDictionary(service => service.Name, service => new ComposeRun(service, certificates.Folder));
        foreach (var service in file.Programs.Where(service => service.Program != "whip-broker"))
        {
            var run = new ComposeRun(service, certificates.Folder);
            var (named, listen) = service.Program == "whip-agent" ? (run["endpoint"], "grpc-listen") : (run["broker"], "dial-listen");
            Assert.Equal(brokers.Select(broker => $"{broker.Key}:{broker.Value.Port(listen)}"), named.Split(','));
        }

        var prometheus = await File.ReadAllTextAsync(Path.Combine(Documents.Root, "deploy", "prometheus.yml"));
        Assert.Contains($"targets: [{string.Join(", ", brokers.Select(broker => $"\"{broker.Key}:{broker.Value.MetricsPort}\""))}]", prometheus);
    }

    [SkippableFact]
    public async Task What_the_host_sees_is_the_dial_fronts_the_proxy_and_Prometheus_on_its_loopback_interface()
    {
        var file = await ComposeFile.ReadAsync();
        var published = file.Services.Values.SelectMany(service => service.Ports, (service, port) => (service, Parts: port.Split(':'))).ToList();
        Assert.All(published, port => Assert.Equal((3, "127.0.0.1"), (port.Parts.Length, port.Parts[0])));
        Assert.Distinct(published.Select(port => port.Parts[1]));
        Assert.Equal(
            ["broker-1 dial", "broker-2 dial", "broker-3 dial", "prometheus", "proxy http"],
            published.Select(port => $"{port.service.Name} {Listener(port.service, port.Parts[2])}".TrimEnd()).Order());

        string Listener(ComposeService service, string port) => service.Program switch
        {
            "whip-broker" when $"{Run(service).Port("dial-listen")}" == port => "dial",
            "whip-proxy" when Run(service)["proxy-listen-port"] == port => "http",
            null when port == "9090" => "",
            _ => "?",
        };

        ComposeRun Run(ComposeService service) => new(service, certificates.Folder);
    }

    [SkippableFact]
    public async Task Every_health_check_asks_where_its_program_answers()
    {
        var file = await ComposeFile.ReadAsync();
        Assert.All(file.Programs, service =>
            Assert.Equal(["CMD", "healthy", $"{new ComposeRun(service, certificates.Folder).MetricsPort}"], service.HealthCheck));
        foreach (var service in file.Services.Values)
        {
            Assert.All(service.DependsOn, other => Assert.Equal(
                other.Key == "pki" ? ("service_completed_successfully", false) : ("service_healthy", true),
                (other.Value, file.Services[other.Key].HealthCheck.Count > 0)));
            Assert.True(service.NetworkMode.Length == 0 || service.DependsOn.ContainsKey(service.NetworkMode.Replace("service:", "")), service.Name);
        }
    }

    [SkippableFact]
    public async Task Every_program_has_time_to_drain_and_comes_back()
    {
        var file = await ComposeFile.ReadAsync();
        Assert.All(file.Programs, service =>
        {
            var drain = OptionText.Duration("drain-timeout", new ComposeRun(service, certificates.Folder)["drain-timeout"]);
            Assert.True(OptionText.Duration("stop_grace_period", service.StopGracePeriod) >= drain + TimeSpan.FromSeconds(10), service.Name);
            Assert.Equal("unless-stopped", service.Restart);
        });
    }

    private static void AssertLeadsTo(ComposeService service, int port, string external) => Assert.Equal($"{service.Name}:{port}", external);
}
