using Whip.Protocol.Tls;

namespace Whip.Bench.Local;

/// <summary>A CA and what it signed, all made by <c>whip pki</c> in the folder of the programs; or none, when everything runs plain.</summary>
internal sealed class Certificates
{
    /// <summary>What agents and dialers are called in their certificates.</summary>
    public const string Domain = "testdom";

    private readonly LocalPrograms _programs;
    private readonly bool _tls;

    private Certificates(LocalPrograms programs, bool tls) => (_programs, _tls, Broker) = (programs, tls, new WhipTlsOptions { Enabled = false });

    /// <summary>A broker's, reached as 127.0.0.1 or localhost.</summary>
    public WhipTlsOptions Broker { get; private set; }

    public static async Task<Certificates> CreateAsync(LocalPrograms programs, bool tls, CancellationToken cancellationToken)
    {
        var made = new Certificates(programs, tls);
        if (tls)
        {
            await programs.RunAsync("CA", "whip", ["pki", "genselfsignedca", .. made.Authority], cancellationToken);
            made.Broker = await made.SignAsync("broker", ["server", "--dns-names", "localhost", "--ip-address", "127.0.0.1"], cancellationToken);
        }

        return made;
    }

    /// <summary>A certificate for <c>hostname.testdom</c>; <c>*</c> is any of that domain.</summary>
    public Task<WhipTlsOptions> ClientAsync(string name, string hostname, CancellationToken cancellationToken) =>
        ClientAsync(name, hostname, Domain, cancellationToken);

    /// <summary>A certificate for <c>hostname.domain</c>; <c>*</c> is any of that domain.</summary>
    public async Task<WhipTlsOptions> ClientAsync(string name, string hostname, string domain, CancellationToken cancellationToken) =>
        _tls ? await SignAsync(name, ["client", "--hostname", hostname, "--domain", domain], cancellationToken) : Broker;

    /// <summary>One broker's of a cluster, reached as 127.0.0.1 or localhost.</summary>
    public async Task<WhipTlsOptions> BrokerAsync(string brokerId, string clusterId, CancellationToken cancellationToken)
    {
        string[] args = ["server", "--dns-names", "localhost", "--ip-address", "127.0.0.1", "--broker-id", brokerId, "--cluster-id", clusterId];
        return _tls ? await SignAsync(brokerId, args, cancellationToken) : Broker;
    }

    /// <summary>How a program is told of its certificate.</summary>
    public static string[] Flags(WhipTlsOptions tls) =>
        tls.Enabled ? ["--tls-ca-cert-path", tls.CaCertPath!, "--tls-cert-path", tls.CertPath!, "--tls-key-path", tls.KeyPath!] : ["--tls=false"];

    private string[] Authority => ["--ca-cert-path", PathOf("ca-cert.pem"), "--ca-key-path", PathOf("ca-key.pem")];

    private async Task<WhipTlsOptions> SignAsync(string name, string[] args, CancellationToken cancellationToken)
    {
        var tls = new WhipTlsOptions { CaCertPath = PathOf("ca-cert.pem"), CertPath = PathOf($"{name}-cert.pem"), KeyPath = PathOf($"{name}-key.pem") };
        string[] files = ["--cert-path", tls.CertPath, "--key-path", tls.KeyPath];
        await _programs.RunAsync($"certificate of {name}", "whip", ["pki", "createandsign", .. args, .. Authority, .. files], cancellationToken);
        return tls;
    }

    private string PathOf(string name) => Path.Combine(_programs.Folder, name);
}
