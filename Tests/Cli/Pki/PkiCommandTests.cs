using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Tls;
using Whip.Tests.Protocol.Tls;

namespace Whip.Tests.Cli.Pki;

public sealed class PkiCommandTests : IDisposable
{
    private readonly PkiFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("ecdsa", "EC PRIVATE KEY", "1.2.840.10045.2.1")]
    [InlineData("rsa", "RSA PRIVATE KEY", "1.2.840.113549.1.1.1")]
    public async Task Broker_and_agent_trust_each_other(string keyType, string label, string algorithm)
    {
        await _folder.GenerateCaAsync("--key-type", keyType);
        using var server = await _folder.SignAsync("server", "server", "--dns-names", "localhost", "--key-type", keyType);
        using var client = await _folder.SignAsync("client", "client", "--hostname", "*", "--domain", "testdom", "--key-type", keyType);
        Assert.StartsWith($"-----BEGIN {label}-----", await File.ReadAllTextAsync(_folder.PathOf("client-key.pem")), StringComparison.Ordinal);
        Assert.Equal(algorithm, server.PublicKey.Oid.Value);

        var result = await TlsHandshake.RunAsync(_folder.Identity("server"), _folder.Identity("client"));
        Assert.True(result.Succeeded);
        Assert.True(result.OfClient!.Value.Identity!.Covers("instance1.testdom"));
    }

    [Fact]
    public async Task A_client_is_no_broker()
    {
        await _folder.GenerateCaAsync();
        using var client = await _folder.SignAsync("client", "client", "--hostname", "Instance1", "--domain", "TestDom.");
        Assert.False(KeyPurpose.Has(client, KeyPurpose.ServerAuth));
        Assert.Equal(["instance1.testdom"], PeerIdentity.FromLeaf(client).Names);
    }

    [Fact]
    public async Task A_broker_has_the_names_it_was_given()
    {
        await _folder.GenerateCaAsync();
        using var server = await _folder.SignAsync(
            "server", "server", "--dns-names", "b1.example,*.brokers", "--dns-names=localhost", "--ip-address", "127.0.0.1, ::1",
            "--broker-id", "b1", "--cluster-id", "c-1");
        Assert.Equal(["b1.example", "*.brokers", "localhost", "127.0.0.1", "::1", "whip://c-1/broker/b1"], PeerIdentity.FromLeaf(server).Names);
    }

    [Fact]
    public async Task A_broker_without_a_name_is_warned_of()
    {
        await _folder.GenerateCaAsync();
        var run = await _folder.TrySignAsync("server", "server");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("warning: without --dns-names or --ip-address", run.Error);
    }

    [Fact]
    public async Task Serials_are_random_and_key_identifiers_real()
    {
        await _folder.GenerateCaAsync();
        using var ca = _folder.Certificate("ca-cert.pem");
        using var first = await _folder.SignAsync("a", "client", "--hostname", "*", "--domain", "testdom");
        using var second = await _folder.SignAsync("b", "client", "--hostname", "*", "--domain", "testdom");
        Assert.All([ca, first, second], certificate => Assert.True(certificate.SerialNumberBytes.Length is >= 16 and <= 20));
        Assert.Equal(3, new[] { ca, first, second }.Select(certificate => certificate.SerialNumber).Distinct().Count());
        var caKeyId = ca.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single().SubjectKeyIdentifierBytes;
        Assert.Equal(caKeyId, first.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().Single().KeyIdentifier!.Value);
        Assert.Equal(
            new X509SubjectKeyIdentifierExtension(first.PublicKey, false).SubjectKeyIdentifier,
            first.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single().SubjectKeyIdentifier);
        var constraints = ca.Extensions.OfType<X509BasicConstraintsExtension>().Single();
        Assert.True(constraints is { CertificateAuthority: true, HasPathLengthConstraint: true, PathLengthConstraint: 1, Critical: true });
    }

    [Fact]
    public async Task A_certificate_ends_no_later_than_its_CA()
    {
        await _folder.GenerateCaAsync("--validity-duration", "1h30m");
        using var ca = _folder.Certificate("ca-cert.pem");
        using var shorter = await _folder.SignAsync("a", "client", "--hostname", "*", "--domain", "testdom", "--validity-duration", "30m");
        var run = await _folder.TrySignAsync("b", "client", "--hostname", "*", "--domain", "testdom");
        using var longer = _folder.Certificate("b-cert.pem");
        Assert.Matches(", valid until [^,]+, when its CA ends, not until ", run.Output);
        Assert.InRange(ca.NotAfter.ToUniversalTime(), DateTime.UtcNow.AddMinutes(80), DateTime.UtcNow.AddMinutes(90));
        Assert.InRange(shorter.NotAfter.ToUniversalTime(), DateTime.UtcNow.AddMinutes(20), DateTime.UtcNow.AddMinutes(30));
        Assert.Equal(ca.NotAfter, longer.NotAfter);
    }

    [Fact]
    public async Task A_CA_is_valid_for_ten_years_and_a_leaf_for_one_and_both_say_so()
    {
        var run = await _folder.RunAsync("genselfsignedca");
        using var ca = _folder.Certificate("ca-cert.pem");
        Assert.InRange(ca.NotAfter, DateTime.Now.AddDays(3649), DateTime.Now.AddDays(3651));
        Assert.EndsWith($": CA, valid until {ca.NotAfter.ToUniversalTime():u}\n", run.Output);

        run = await _folder.TrySignAsync("a", "client", "--hostname", "a", "--domain", "testdom");
        using var leaf = _folder.Certificate("a-cert.pem");
        Assert.InRange(leaf.NotAfter, DateTime.Now.AddDays(364), DateTime.Now.AddDays(366));
        Assert.EndsWith(
            $": client, a.testdom, valid until {leaf.NotAfter.ToUniversalTime():u}\nto renew it, run the same command again before it ends\n", run.Output);
    }

    [Fact]
    public async Task The_subject_is_the_name_alone_and_each_part_a_flag()
    {
        await _folder.GenerateCaAsync();
        using var ca = _folder.Certificate("ca-cert.pem");
        Assert.Equal("CN=Whip CA", ca.Subject);
        using var leaf = await _folder.SignAsync(
            "a", "client", "--hostname", "*", "--domain", "testdom", "--country", "NL", "--organization", "One,Two",
            "--organization-unit", "", "--locality", "Delft", "--province", "ZH",
            "--street", "Markt 1", "--postal-code", "2611", "--serial", "77", "--common-name", "@name");
        Assert.Equal(
            "SERIALNUMBER=77, CN=@name, PostalCode=2611, STREET=Markt 1, S=ZH, L=Delft, O=One, O=Two, C=NL",
            leaf.Subject.Replace("OID.2.5.4.17", "PostalCode"));
    }

    [Fact]
    public async Task A_CA_of_the_original_signs()
    {
        using var original = new OriginalCertificates();
        _folder.Write("ca-cert.pem", original.Ca.ExportCertificatePem());
        _folder.Write("ca-key.pem", original.CaKeyPem);
        using var client = await _folder.SignAsync("client", "client", "--hostname", "*", "--domain", "testdom");
        var result = await TlsHandshake.RunAsync(original.Server("localhost"), _folder.Identity("client"));
        Assert.True(result.Succeeded, $"{result.OfClient} {result.OfServer}");
    }
}
