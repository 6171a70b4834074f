using System.Net;
using Whip.Harness;
using Whip.Harness.Programs;

namespace Whip.Bench.Demo;

/// <summary>One broker, two agents of one domain with an HTTP service behind each, and a proxy: all mutual TLS, all on this machine.</summary>
internal sealed class DemoSystem : IAsyncDisposable
{
    public static readonly IReadOnlyList<string> Instances = [$"instance1.{Certificates.Domain}", $"instance2.{Certificates.Domain}"];

    private readonly CertificateFiles _certificates;

    public DemoSystem(string programFolder, TextWriter output)
    {
        Programs = new WhipProcesses(programFolder);
        _certificates = new CertificateFiles(Programs.Folder, tls: true);
        Parts = new DemoParts(Programs, _certificates, programFolder, output);
    }

    public WhipProcesses Programs { get; }

    public DemoParts Parts { get; }

    public WhipProcess Broker { get; private set; } = null!;

    public WhipProcess Proxy { get; private set; } = null!;

    public IPEndPoint DialFront => Broker.Addresses["dial"];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await Parts.TellAsync("certificates", $"a CA, a broker's, {string.Join("'s, ", Instances)}'s and a dialer's, in {Programs.Folder}");
        string[] args =
        [
            "--grpc-listen", "127.0.0.1:0", "--tcp-listen", "127.0.0.1:0", "--dial-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0",
            "--admin-listen", "127.0.0.1:0", "--drain-timeout", "1s", .. Certificates.Flags(_certificates.Broker()),
        ];
        Broker = await Programs.StartAsync("broker", "whip-broker", args, cancellationToken);
        await Parts.TellAsync(Broker);
        await Parts.StartAgentsAsync(Instances, [Broker.Addresses["grpc"]], cancellationToken);
        Proxy = await Parts.StartProxyAsync([DialFront], cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await Programs.DisposeAsync();
        await Parts.DisposeAsync();
    }
}
