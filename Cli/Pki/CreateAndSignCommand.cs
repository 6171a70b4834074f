using System.CommandLine;
using System.Net;
using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Cli.Pki;

/// <summary><c>whip pki createandsign server|client</c>: a key and a certificate that the CA signs.</summary>
internal sealed class CreateAndSignCommand(PkiOptions options, TimeProvider time)
{
    private readonly Option<string> _certPath = CliOptions.Text("--cert-path", "Where the certificate goes", "cert.pem");
    private readonly Option<string> _keyPath = CliOptions.Text("--key-path", "Where its private key goes", "key.pem");
    private readonly Option<string[]> _addresses = CliOptions.List("--ip-address", "An IP address the certificate is for");

    public static Command Create(PkiOptions options, TimeProvider time)
    {
        var shared = new CreateAndSignCommand(options, time);
        var command = new Command("createandsign", "Makes a key and a certificate signed by the CA.") { shared.Server(), shared.Client() };
        foreach (var option in (Option[])[shared._certPath, shared._keyPath, shared._addresses])
        {
            option.Recursive = true;
            command.Add(option);
        }

        return command;
    }

    private Command Client()
    {
        var hostname = CliOptions.Text("--hostname", "The agent's hostname; * stands for any of the domain", "*");
        var domain = new Option<string>("--domain") { Description = "The agent's domain", Required = true };
        var command = new Command("client", "For an agent or a dialer: clientAuth only.") { hostname, domain };
        command.SetAction(parsed =>
        {
            var domainName = NameOf(domain, parsed.GetRequiredValue(domain));
            var host = parsed.GetRequiredValue(hostname);
            if (host != "*" && !DnsName.IsLabel(host))
            {
                throw new WhipOptionException(hostname.Name, host, "not a hostname", "one label such as instance1, or * for any");
            }

            Issue(parsed, [NameOf(domain, $"{host}.{domainName}")], [], KeyPurpose.ClientAuth);
        });
        return command;
    }

    private Command Server()
    {
        var dnsNames = CliOptions.List("--dns-names", "A DNS name the broker is reached at");
        var brokerId = CliOptions.Text("--broker-id", "The broker's id in its cluster: adds the URI whip://CLUSTER-ID/broker/BROKER-ID");
        var clusterId = CliOptions.Text("--cluster-id", "The cluster of --broker-id", "whip");
        var command = new Command("server", "For a broker: serverAuth and clientAuth.") { dnsNames, brokerId, clusterId };
        command.SetAction(parsed =>
        {
            string[] names = [.. parsed.GetRequiredValue(dnsNames).Select(name => NameOf(dnsNames, name))];
            Uri[] uris = parsed.GetRequiredValue(brokerId).Length == 0
                ? []
                : [new Uri(BrokerUri.Format(
                    IdOf(clusterId, parsed, BrokerUri.IsClusterId, BrokerUri.ClusterIdHint),
                    IdOf(brokerId, parsed, BrokerUri.IsBrokerId, BrokerUri.BrokerIdHint)))];
            if (names.Length + parsed.GetRequiredValue(_addresses).Length == 0)
            {
                parsed.InvocationConfiguration.Error.WriteLine(
                    "whip: warning: without --dns-names or --ip-address nobody will accept this certificate from a broker");
            }

            Issue(parsed, names, uris, KeyPurpose.ServerAuth, KeyPurpose.ClientAuth);
        });
        return command;
    }

    private void Issue(ParseResult parsed, string[] dnsNames, Uri[] uris, params string[] purposes)
    {
        var (caCertPath, caKeyPath) = (parsed.GetRequiredValue(options.CaCertPath), parsed.GetRequiredValue(options.CaKeyPath));
        var cert = new OutputFile(_certPath.Name, parsed.GetRequiredValue(_certPath));
        var key = new OutputFile(_keyPath.Name, parsed.GetRequiredValue(_keyPath));
        OutputFile.RequireDistinct(new(options.CaCertPath.Name, caCertPath), new(options.CaKeyPath.Name, caKeyPath), cert, key);
        IPAddress[] addresses = [.. parsed.GetRequiredValue(_addresses).Select(AddressOf)];
        string[] names = [.. dnsNames, .. addresses.Select(address => address.ToString()), .. uris.Select(uri => uri.AbsoluteUri)];

        var ca = CertificateAuthority.Load(options.CaCertPath.Name, caCertPath, options.CaKeyPath.Name, caKeyPath, time.GetUtcNow());
        var (notBefore, notAfter) = options.Validity(parsed, time.GetUtcNow());
        using var leaf = ca.Issue(new LeafRequest(options.Subject(parsed, names.FirstOrDefault("")), notBefore, ca.Limit(notAfter))
        {
            KeyType = options.KeyType(parsed),
            DnsNames = dnsNames,
            Addresses = addresses,
            Uris = uris,
            Purposes = purposes,
        });
        PemWriter.Write(leaf, key, cert, replaceKey: true);
        parsed.InvocationConfiguration.Output.WriteLine(
            $"wrote {cert.Path} and {key.Path}: {string.Join(", ", [parsed.CommandResult.Command.Name, .. names])}, valid until {ca.Limit(notAfter):u}");
    }

    private static string NameOf(Option option, string text)
    {
        var wildcard = text.StartsWith("*.", StringComparison.Ordinal);
        if (DnsName.TryNormalize(wildcard ? text.AsSpan(2) : text, out var name))
        {
            return wildcard ? $"*.{name}" : name;
        }

        var hint = IPAddress.TryParse(text, out _) ? $"--ip-address {text}" : "a name such as example.com";
        throw new WhipOptionException(option.Name, text, "not a DNS name", hint);
    }

    private IPAddress AddressOf(string text) =>
        IPAddress.TryParse(text, out var address) && (text.Contains(':') || address.ToString() == text)
            ? address
            : throw new WhipOptionException(_addresses.Name, text, "not an IP address", "127.0.0.1 or ::1");

    private static string IdOf(Option<string> option, ParseResult parsed, Func<string, bool> isOne, string hint)
    {
        var id = parsed.GetRequiredValue(option);
        return isOne(id) ? id : throw new WhipOptionException(option.Name, id, "not an id", hint);
    }
}
