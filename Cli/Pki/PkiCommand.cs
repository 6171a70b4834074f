using System.CommandLine;
using Whip.Hosting.Flags;

namespace Whip.Cli.Pki;

/// <summary><c>whip pki</c>: a CA of one's own and the certificates of brokers, agents and dialers.</summary>
internal static class PkiCommand
{
    public static Command Create(CommandTree tree, TimeProvider time)
    {
        var shared = new PkiFlags();
        return Parent(
            shared,
            tree.Command<CaOptions>(new CaFlags(shared), (options, _) => Task.FromResult(Generate(options, tree.Output, time.GetUtcNow()))),
            tree.Command<IntermediateOptions>(
                new IntermediateFlags(shared), (options, _) => Task.FromResult(GenerateIntermediate(options, tree.Output, time.GetUtcNow()))),
            CreateAndSignCommand.Create(shared, tree, time));
    }

    /// <summary>A command that only has others, whose flags may stand before their names.</summary>
    public static Command Parent(FlagSet shared, params Command[] children)
    {
        var parent = new Command(shared.Name.Split(' ')[^1], shared.Description);
        shared.ShareWith(parent);
        Array.ForEach(children, parent.Add);
        return parent;
    }

    private static int Generate(CaOptions options, TextWriter output, DateTimeOffset now)
    {
        var (cert, key) = (options.CaCert, options.CaKey);
        OutputFile.RequireDistinct(cert, key);
        if (!options.Force)
        {
            key.RequireNew();
            cert.RequireNew();
        }

        var validity = options.Validity(now, PkiOptions.CaLifetime);
        var ca = CertificateAuthority.Create(options.CaSubject("Whip CA"), options.KeyType, validity.NotBefore, validity.NotAfter);
        PemWriter.Write(ca.Certificate, [], key, cert, replace: options.Force);
        output.WriteLine($"wrote {cert.Path} and {key.Path}: CA, valid until {validity.NotAfter:u}");
        return 0;
    }

    private static int GenerateIntermediate(IntermediateOptions options, TextWriter output, DateTimeOffset now)
    {
        var (cert, key) = (new OutputFile(nameof(options.CertPath), options.CertPath), new OutputFile(nameof(options.KeyPath), options.KeyPath));
        OutputFile.RequireDistinct(options.CaCert, options.CaKey, cert, key);
        if (!options.Force)
        {
            key.RequireNew();
            cert.RequireNew();
        }

        var ca = CertificateAuthority.Load(options.CaCert, options.CaKey, now, signsCas: true);
        var asked = options.Validity(now, PkiOptions.IntermediateLifetime);
        var validity = ca.Limit(asked);
        using var intermediate = ca.IssueIntermediate(options.CaSubject("Whip intermediate CA"), options.KeyType, validity);
        options.CaCert.Require(ca.Problem(intermediate, intermediate.Subject));
        PemWriter.Write(intermediate, ca.Intermediates, key, cert, replace: options.Force);
        output.WriteLine($"wrote {cert.Path} and {key.Path}: intermediate CA, {Until(asked, validity)}");
        return 0;
    }

    /// <summary>Says when a certificate ends, and that it was asked for a longer time if so.</summary>
    public static string Until(Validity asked, Validity given) =>
        $"valid until {given.NotAfter:u}{(given.NotAfter < asked.NotAfter ? $", when its CA ends, not until {asked.NotAfter:u}" : "")}";

    private class CaOptions : PkiOptions
    {
        public bool Force { get; set; }
    }

    private sealed class IntermediateOptions : CaOptions
    {
        public string CertPath { get; set; } = "intermediate-cert.pem";

        public string KeyPath { get; set; } = "intermediate-key.pem";
    }

    private sealed class CaFlags : FlagSet
    {
        public CaFlags(PkiFlags shared)
            : base("whip pki genselfsignedca", "Makes a CA: a key, and a certificate that it signs itself.", static () => new CaOptions())
        {
            Add(nameof(CaOptions.Force), "", "Replace an existing CA. The certificates that it signed are no longer trusted.");
            Inherit(shared);
        }
    }

    private sealed class IntermediateFlags : FlagSet
    {
        public IntermediateFlags(PkiFlags shared)
            : base(
                "whip pki genintermediateca",
                "Makes a CA that another CA signs. As the CA of createandsign it writes its own certificate behind each that it signs.",
                static () => new IntermediateOptions())
        {
            Add(nameof(IntermediateOptions.CertPath), "FILE", "Where to write the certificate.");
            Add(nameof(IntermediateOptions.KeyPath), "FILE", "Where to write its private key.");
            Add(nameof(IntermediateOptions.Force), "", "Replace an existing one. The certificates that it signed still carry the old one.");
            Inherit(shared);
        }
    }
}
