using System.Formats.Asn1;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Whip.Cli.Pki;
using Whip.Protocol.Tls;

namespace Whip.Tests.Protocol.Tls;

public sealed class IntermediateCertificateTests
{
    private static readonly DateTimeOffset From = DateTimeOffset.UtcNow.AddHours(-1);
    private static readonly DateTimeOffset To = DateTimeOffset.UtcNow.AddHours(1);

    private readonly X509Certificate2 _root = NewCa("CN=root", null);
    private readonly X509Certificate2 _intermediate;

    public IntermediateCertificateTests() => _intermediate = NewCa("CN=intermediate", _root);

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_resumed_session_keeps_the_trust_of_the_first(SslProtocols version)
    {
        var (server, client) = (Identity("localhost", withRoot: true), Identity("a.testdom", withRoot: false));
        for (var i = 0; i < 4; i++)
        {
            var result = await TlsHandshake.RunAsync(server, client, version: version);
            Assert.True(result.Succeeded, $"handshake {i}: {result.OfClient} {result.OfServer}");
        }
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_leaf_without_its_intermediate_gets_the_same_verdict_before_and_after_somebody_else_sent_the_chain(SslProtocols version)
    {
        var server = Identity("localhost", withRoot: true);
        var (whole, alone) = (Identity("a.testdom", withRoot: false), TlsIdentity.Create([Leaf("b.testdom")], [_root]));
        foreach (var (client, isTrusted) in new[] { (alone, false), (whole, true), (alone, false), (whole, true), (alone, false) })
        {
            var result = await TlsHandshake.RunAsync(server, client, version: version);
            Assert.Equal(isTrusted, result.OfClient!.Value.IsTrusted);
        }
    }

    public static TheoryData<string, string> Anchored => new()
    {
        { "leaf", "" },
        { "leaf and intermediate", "" },
        { "whole chain", "" },
        { "below another", "" },
        { "forged", "was not issued by our CA" },
        { "forged below another", "was not issued by our CA" },
        { "expired anchor", "is valid from" },
        { "no CA", "refused" },
        { "excluded name", "Name" },
    };

    /// <summary>As curl and Go have it.</summary>
    [Theory]
    [MemberData(nameof(Anchored))]
    public async Task An_intermediate_in_the_CA_file_is_an_anchor(string sent, string problem)
    {
        var anchor = sent switch
        {
            "expired anchor" => NewCa("CN=intermediate", _root, to: DateTimeOffset.UtcNow.AddMinutes(-1)),
            "no CA" => NewCa("CN=intermediate", _root, isCa: false, keyIdOf: _intermediate, key: _intermediate.GetECDsaPrivateKey()),
            "excluded name" => NewCa("CN=intermediate", _root, excluded: "testdom"),
            _ => _intermediate,
        };
        var issuer = sent.StartsWith("forged", StringComparison.Ordinal) ? NewCa("CN=intermediate", _root, keyIdOf: _intermediate)
            : sent == "no CA" ? _intermediate
            : anchor;
        var below = sent.EndsWith("below another", StringComparison.Ordinal) ? NewCa("CN=below", issuer) : issuer;
        X509Certificate2Collection chain = sent switch
        {
            "leaf and intermediate" => [Leaf("a.testdom", issuer), anchor],
            "whole chain" => [Leaf("a.testdom", issuer), anchor, _root],
            "below another" or "forged below another" => [Leaf("a.testdom", below), below],
            _ => [Leaf("a.testdom", issuer)],
        };
        var server = TlsIdentity.Create([Leaf("localhost", _intermediate)], [anchor]);
        var client = TlsIdentity.Create(chain, [_root, _intermediate]);
        for (var i = 0; i < 2; i++)
        {
            var verdict = (await TlsHandshake.RunAsync(server, client)).OfClient!.Value;
            Assert.True(verdict.IsTrusted == (problem.Length == 0), $"{sent}: {verdict.Problem}");
            Assert.Contains(problem, verdict.Problem);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_chain_up_to_a_root_that_is_not_ours_is_judged_up_to_the_anchor(bool isForged)
    {
        var leaf = Leaf("a.testdom", isForged ? NewCa("CN=intermediate", _root, keyIdOf: _intermediate) : _intermediate);
        var verifier = new PeerVerifier([_intermediate]);
        using var chain = new X509Chain { ChainPolicy = verifier.ChainPolicy() };
        chain.ChainPolicy.ExtraStore.Add(_root);
        var errors = chain.Build(leaf) ? SslPolicyErrors.None : SslPolicyErrors.RemoteCertificateChainErrors;
        Assert.Equal(!isForged, verifier.Verify(leaf, chain, errors, PeerRole.Client, null).IsTrusted);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Chains_are_sent_whole(SslProtocols version)
    {
        var below = NewCa("CN=below", _intermediate);
        var server = TlsIdentity.Create([Leaf("localhost", below), below, _intermediate], [_root]);
        var client = TlsIdentity.Create([Leaf("a.testdom", below), _intermediate, below], [_root]);
        for (var i = 0; i < 3; i++)
        {
            var result = await TlsHandshake.RunAsync(server, client, version: version);
            Assert.True(result.Succeeded, $"{result.OfClient} {result.OfServer}");
        }
    }

    [Fact]
    public void A_chain_file_holds_the_leaf_and_its_intermediates()
    {
        using var folder = new TempFolder();
        using var leaf = Leaf("localhost");
        using var key = leaf.GetECDsaPrivateKey()!;
        var identity = TlsIdentity.Load(new WhipTlsOptions
        {
            CertPath = folder.Write("cert.pem", $"{leaf.ExportCertificatePem()}\n{_intermediate.ExportCertificatePem()}\n"),
            KeyPath = folder.Write("key.pem", key.ExportECPrivateKeyPem()),
            CaCertPath = folder.Write("ca.pem", _root.ExportCertificatePem()),
        });
        var shown = identity.ServerOptions(PeerRole.Client).ServerCertificateContext!.IntermediateCertificates;
        Assert.Equal(_intermediate.Thumbprint, Assert.Single(shown).Thumbprint);
    }

    private TlsIdentity Identity(string name, bool withRoot) =>
        TlsIdentity.Create(withRoot ? [Leaf(name), _intermediate, _root] : [Leaf(name), _intermediate], [_root]);

    private X509Certificate2 Leaf(string name, X509Certificate2? issuer = null) => new CertificateAuthority(issuer ?? _intermediate).Issue(
        new LeafRequest(new X500DistinguishedName("CN=leaf"), From, To) { DnsNames = [name], Purposes = [KeyPurpose.ServerAuth, KeyPurpose.ClientAuth] });

    private static X509Certificate2 NewCa(
        string name, X509Certificate2? issuer, DateTimeOffset? to = null, bool isCa = true, string excluded = "", X509Certificate2? keyIdOf = null,
        ECDsa? key = null)
    {
        key ??= ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isCa, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(keyIdOf?.PublicKey ?? request.PublicKey, false));
        if (excluded.Length > 0)
        {
            request.CertificateExtensions.Add(new X509Extension("2.5.29.30", Excluded(excluded), critical: true));
        }

        return issuer is null ? request.CreateSelfSigned(From, To) : request.Create(issuer, From, to ?? To, [1]).CopyWithPrivateKey(key);
    }

    private static byte[] Excluded(string domain)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 1)))
        using (writer.PushSequence())
        {
            writer.WriteCharacterString(UniversalTagNumber.IA5String, domain, new Asn1Tag(TagClass.ContextSpecific, 2));
        }

        return writer.Encode();
    }
}
