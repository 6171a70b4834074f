using System.CommandLine;
using System.Net;
using Whip.Hosting.Flags;
using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Cli.Pki;

/// <summary>The options that every <c>whip pki createandsign</c> command has.</summary>
internal class LeafOptions : PkiOptions
{
    public string CertPath { get; set; } = "cert.pem";

    public string KeyPath { get; set; } = "key.pem";

    public IList<IPAddress> IpAddress { get; } = [];
}

/// <summary><c>whip pki createandsign server|client</c>: a key and a certificate that the CA signs.</summary>
internal sealed class CreateAndSignCommand(CommandTree tree, TimeProvider time)
{
    public static Command Create(PkiFlags shared, CommandTree tree, TimeProvider time)
    {
        var command = new CreateAndSignCommand(tree, time);
        var leaf = new LeafFlags(shared);
        return PkiCommand.Parent(
            leaf,
            tree.Command<ServerOptions>(new ServerFlags(leaf), (options, _) => Task.FromResult(command.Server(options))),
            tree.Command<ClientOptions>(new ClientFlags(leaf), (options, _) => Task.FromResult(command.Client(options))));
    }

    private int Server(ServerOptions options)
    {
        if (options.DnsNames.Count + options.IpAddress.Count == 0)
        {
            tree.Error.WriteLine("whip: warning: without --dns-names or --ip-address nobody will accept this certificate from a broker");
        }

        Uri[] uris = options.BrokerId.Length == 0 ? [] : [new Uri(BrokerUri.Format(options.ClusterId ?? "whip", options.BrokerId))];
        return Issue(options, "server", options.DnsNames, uris, KeyPurpose.ServerAuth, KeyPurpose.ClientAuth);
    }

    private int Client(ClientOptions options) =>
        Issue(options, "client", [DnsNameOf(nameof(options.Domain), $"{options.Hostname}.{options.Domain}")], [], KeyPurpose.ClientAuth);

    private int Issue(LeafOptions options, string kind, IList<string> dnsNames, Uri[] uris, params string[] purposes)
    {
        var cert = new OutputFile(nameof(options.CertPath), options.CertPath);
        var key = new OutputFile(nameof(options.KeyPath), options.KeyPath);
        OutputFile.RequireDistinct(options.CaCert, options.CaKey, cert, key);
        var now = time.GetUtcNow();
        var ca = CertificateAuthority.Load(options.CaCert, options.CaKey, now);
        var asked = options.Validity(now, PkiOptions.LeafLifetime);
        var firstName = dnsNames.Concat(options.IpAddress.Select(address => address.ToString())).FirstOrDefault($"whip {kind}");
        var validity = ca.Limit(asked);
        var request = new LeafRequest(options.Subject(firstName), validity.NotBefore, validity.NotAfter)
        {
            KeyType = options.KeyType,
            DnsNames = [.. dnsNames],
            Addresses = [.. options.IpAddress],
            Uris = uris,
            Purposes = purposes,
        };
        using var leaf = ca.Issue(request);
        options.CaCert.Require(ca.Problem(leaf, request.Names));
        PemWriter.Write(leaf, ca.Intermediates, key, cert, replace: true);
        var names = request.Names.Length == 0 ? "" : $", {request.Names}";
        tree.Output.WriteLine($"wrote {cert.Path} and {key.Path}: {kind}{names}, {PkiCommand.Until(asked, validity)}");
        tree.Output.WriteLine("to renew it, run the same command again before it ends");
        return 0;
    }

    private static string DnsNameOf(string source, string text)
    {
        var wildcard = text.StartsWith("*.", StringComparison.Ordinal);
        if (DnsName.TryNormalize(wildcard ? text.AsSpan(2) : text, out var name))
        {
            return wildcard ? $"*.{name}" : name;
        }

        var hint = IPAddress.TryParse(text, out _) ? $"--ip-address {text}" : "a name such as example.com";
        throw new WhipOptionException(source, text, "not a DNS name", hint);
    }

    private static IPAddress AddressOf(string source, string text) =>
        IPAddress.TryParse(text, out var address) && (text.Contains(':') || address.ToString() == text)
            ? address
            : throw new WhipOptionException(source, text, "not an IP address", "127.0.0.1 or ::1");

    private sealed class ServerOptions : LeafOptions
    {
        public IList<string> DnsNames { get; } = [];

        public string BrokerId { get; set; } = "";

        /// <summary>Null: the default of a broker.</summary>
        public string? ClusterId { get; set; }

        public override void Check()
        {
            OptionText.Require(
                BrokerId.Length == 0 || BrokerUri.IsBrokerId(BrokerId), nameof(BrokerId), BrokerId, "not an id", BrokerUri.BrokerIdHint);
            if (ClusterId is not null)
            {
                OptionText.Require(BrokerUri.IsClusterId(ClusterId), nameof(ClusterId), ClusterId, "not an id", BrokerUri.ClusterIdHint);
                OptionText.Require(BrokerId.Length > 0, nameof(ClusterId), ClusterId, "says nothing without {BrokerId}", "{BrokerId} NAME with it");
            }
        }
    }

    private sealed class ClientOptions : LeafOptions
    {
        public string Hostname { get; set; } = "";

        public string Domain { get; set; } = "";

        public override void Check()
        {
            OptionText.Require(Domain.Length > 0, nameof(Domain), null, "required", "testdom");
            OptionText.Require(Hostname.Length > 0, nameof(Hostname), null, "required", "one label such as instance1, or * for any");
            OptionText.Require(
                Hostname == "*" || DnsName.IsLabel(Hostname), nameof(Hostname), Hostname, "not a hostname", "one label such as instance1, or * for any");
        }
    }

    private sealed class LeafFlags : FlagSet
    {
        public LeafFlags(PkiFlags shared)
            : base("whip pki createandsign", "Makes a key and a certificate signed by the CA.", static () => new LeafOptions())
        {
            Add(nameof(LeafOptions.CertPath), "FILE", "Where to write the certificate.");
            Add(nameof(LeafOptions.KeyPath), "FILE", "Where to write its private key.");
            Add(nameof(LeafOptions.IpAddress), "ADDRESS", "An IP address that the certificate is for.", AddressOf);
            Inherit(shared);
        }
    }

    private sealed class ServerFlags : FlagSet
    {
        public ServerFlags(LeafFlags leaf)
            : base("whip pki createandsign server", "For a broker: serverAuth and clientAuth.", static () => new ServerOptions())
        {
            Add(nameof(ServerOptions.DnsNames), "NAME", "A DNS name at which the broker is reached.", DnsNameOf);
            Add(nameof(ServerOptions.BrokerId), "NAME", "The broker's id in its cluster: adds the URI whip://CLUSTER-ID/broker/BROKER-ID.");
            Add(nameof(ServerOptions.ClusterId), "NAME", "The cluster of --broker-id: whip, if it is not given.");
            Inherit(leaf);
        }
    }

    private sealed class ClientFlags : FlagSet
    {
        public ClientFlags(LeafFlags leaf)
            : base("whip pki createandsign client", "For an agent or a dialer: clientAuth only.", static () => new ClientOptions())
        {
            Add(nameof(ClientOptions.Hostname), "LABEL", "The agent's or dialer's hostname; required. * stands for every hostname of the domain.");
            Add(nameof(ClientOptions.Domain), "NAME", "The agent's or dialer's domain; required.", DnsNameOf);
            Inherit(leaf);
        }
    }
}
