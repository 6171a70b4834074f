using System.Security.Cryptography.X509Certificates;
using Whip.Cli.Pki;
using Whip.Protocol.Tls;

namespace Whip.Tests.Support;

/// <summary>One CA for the whole run, and identities that trust it and are not to be trusted.</summary>
internal static class TestCertificates
{
    private static readonly Lazy<Certificates> Run = new(() => new Certificates());
    private static readonly Lazy<Certificates> OtherCa = new(() => new Certificates("other CA"));

    public static Certificates Shared => Run.Value;

    /// <summary>The CA whose certificates are not to be trusted.</summary>
    public static X509Certificate2Collection OtherCaRoots => OtherCa.Value.Roots;

    /// <summary>Puts another leaf into the files of a program that runs.</summary>
    public static void Replace(WhipTlsOptions files, X509Certificate2 leaf)
    {
        File.WriteAllText(files.KeyPath!, leaf.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(files.CertPath!, leaf.ExportCertificatePem());
    }

    /// <summary>A time as a certificate can have it.</summary>
    public static DateTimeOffset InWholeSeconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());

    extension(Certificates certificates)
    {
        public TlsIdentity ExpiredBrokerIdentity => certificates.Identity(Expired(Certificates.BrokerLeaf()));

        public TlsIdentity OtherCaBrokerIdentity => certificates.OfOtherCa(Certificates.BrokerLeaf());

        /// <summary>The broker's names, but clientAuth only.</summary>
        public TlsIdentity WrongRoleBrokerIdentity => certificates.Identity(Certificates.BrokerLeaf() with { Purposes = [KeyPurpose.ClientAuth] });

        public TlsIdentity ExpiredClientIdentity(string name) => certificates.Identity(Expired(Certificates.ClientLeaf(name)));

        public TlsIdentity OtherCaClientIdentity(string name) => certificates.OfOtherCa(Certificates.ClientLeaf(name));

        /// <summary>One SAN, but serverAuth only.</summary>
        public TlsIdentity WrongRoleClientIdentity(string name) =>
            certificates.Identity(Certificates.ClientLeaf(name) with { Purposes = [KeyPurpose.ServerAuth] });

        private TlsIdentity OfOtherCa(LeafRequest leaf) => TlsIdentity.Create([OtherCa.Value.Issue(leaf)], certificates.Roots);
    }

    private static LeafRequest Expired(LeafRequest leaf) => leaf with { NotAfter = leaf.NotBefore.AddMinutes(30) };
}
