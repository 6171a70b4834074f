using System.Formats.Asn1;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Whip.Tests.Protocol.Tls;

namespace Whip.Tests.Cli.Pki;

/// <summary>CAs below a CA, and CAs that may not sign what they are asked to.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class IntermediateTests : IDisposable
{
    private readonly PkiFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_an_intermediate_signs_carries_the_chain_and_is_trusted_by_who_knows_the_root_alone()
    {
        await _folder.GenerateCaAsync();
        var run = await GenerateIntermediateAsync();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        await SignBelowAsync("server", "server", "--dns-names", "localhost");
        await SignBelowAsync("client", "client", "--hostname", "a", "--domain", "testdom");

        var sent = new X509Certificate2Collection();
        sent.ImportFromPemFile(_folder.PathOf("client-cert.pem"));
        using var intermediate = _folder.Certificate("int-cert.pem");
        Assert.Equal(["CN=a.testdom", "CN=Whip intermediate CA"], sent.Select(certificate => certificate.Subject));
        Assert.Equal(intermediate, sent[1]);
        Assert.True(intermediate.Extensions.OfType<X509BasicConstraintsExtension>().Single() is { CertificateAuthority: true, PathLengthConstraint: 0 });
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder.PathOf("int-key.pem")));

        var result = await TlsHandshake.RunAsync(_folder.Identity("server"), _folder.Identity("client"));
        Assert.True(result.Succeeded, $"{result.OfClient} {result.OfServer}");
    }

    [Fact]
    public async Task An_intermediate_is_not_replaced_and_signs_no_other()
    {
        await _folder.GenerateCaAsync();
        await GenerateIntermediateAsync();
        var again = await GenerateIntermediateAsync();
        Assert.Equal(2, again.ExitCode);
        Assert.Contains("exists already", again.Error);

        var below = await WhipRun.RunAsync(
            "pki", "genintermediateca", "--ca-cert-path", _folder.PathOf("int-cert.pem"), "--ca-key-path", _folder.PathOf("int-key.pem"),
            "--cert-path", _folder.PathOf("x"), "--key-path", _folder.PathOf("y"));
        Assert.Equal(2, below.ExitCode);
        Assert.Contains("may not sign another CA: its path length is 0; try whip pki genselfsignedca", below.Error);
    }

    [Theory]
    [InlineData(true, "inside.good.test", null)]
    [InlineData(true, "outside.test", "its name constraints do not allow outside.test; try names that it may sign, or another CA")]
    [InlineData(true, "goodtest", "its name constraints do not allow goodtest; try names that it may sign, or another CA")]
    [InlineData(false, "good.test", "may not sign certificates: its key usage lacks keyCertSign; try whip pki genselfsignedca, which makes one")]
    public async Task A_CA_that_may_not_sign_a_certificate_is_refused_with_the_reason(bool mayKeyCertSign, string name, string? problem)
    {
        WriteCa(mayKeyCertSign);
        var run = await _folder.TrySignAsync("a", "server", "--dns-names", name);
        Assert.Equal(problem is null ? (0, "") : (2, $"whip: --ca-cert-path \"{_folder.CaCert}\": {problem}\n"), (run.ExitCode, run.Error));
        Assert.Equal(problem is null, File.Exists(_folder.PathOf("a-key.pem")));
    }

    [Fact]
    public async Task The_constraints_of_a_root_hold_below_its_intermediate()
    {
        WriteCa(mayKeyCertSign: true);
        await GenerateIntermediateAsync();
        await File.AppendAllTextAsync(_folder.PathOf("int-cert.pem"), await File.ReadAllTextAsync(_folder.CaCert));
        var run = await TrySignBelowAsync("a", "server", "--dns-names", "outside.test");
        Assert.Contains("its name constraints do not allow outside.test", run.Error);
        await SignBelowAsync("a", "server", "--dns-names", "good.test");

        var sent = new X509Certificate2Collection();
        sent.ImportFromPemFile(_folder.PathOf("a-cert.pem"));
        Assert.Equal(2, sent.Count);
    }

    private Task<WhipRun> GenerateIntermediateAsync() =>
        _folder.RunAsync("genintermediateca", "--cert-path", _folder.PathOf("int-cert.pem"), "--key-path", _folder.PathOf("int-key.pem"));

    private async Task SignBelowAsync(string name, params string[] args)
    {
        var run = await TrySignBelowAsync(name, args);
        Assert.True(run.ExitCode == 0, run.Error);
    }

    private Task<WhipRun> TrySignBelowAsync(string name, params string[] args) => WhipRun.RunAsync(
        [
            "pki", "createandsign", .. args, "--ca-cert-path", _folder.PathOf("int-cert.pem"), "--ca-key-path", _folder.PathOf("int-key.pem"),
            "--cert-path", _folder.PathOf($"{name}-cert.pem"), "--key-path", _folder.PathOf($"{name}-key.pem"),
        ]);

    /// <summary>A CA of another tool, for names in good.test only.</summary>
    private void WriteCa(bool mayKeyCertSign)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=other CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        var usage = mayKeyCertSign ? X509KeyUsageFlags.KeyCertSign : X509KeyUsageFlags.CrlSign;
        request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, critical: true));
        request.CertificateExtensions.Add(new X509Extension("2.5.29.30", PermittedDnsName("good.test"), critical: true));
        using var ca = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddDays(1));
        _folder.Write("ca-cert.pem", $"{ca.ExportCertificatePem()}\n");
        _folder.Write("ca-key.pem", key.ExportECPrivateKeyPem());
    }

    private static byte[] PermittedDnsName(string name)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        using (writer.PushSequence())
        {
            writer.WriteCharacterString(UniversalTagNumber.IA5String, name, new Asn1Tag(TagClass.ContextSpecific, 2));
        }

        return writer.Encode();
    }
}
