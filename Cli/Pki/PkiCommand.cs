using System.CommandLine;
using Whip.Hosting.Flags;

namespace Whip.Cli.Pki;

/// <summary><c>whip pki</c>: a CA of one's own and the certificates of brokers, agents and dialers.</summary>
internal sealed class PkiCommand : FlagSet
{
    private PkiCommand(PkiFlags shared)
        : base("whip pki genselfsignedca", "Makes a CA: a key, and a certificate that it signs itself.", static () => new CaOptions())
    {
        Add(nameof(CaOptions.Force), "", "Replace an existing CA. The certificates that it signed are no longer trusted.");
        Add(shared);
    }

    public static Command Create(CommandTree tree, TimeProvider time)
    {
        var shared = new PkiFlags();
        var command = tree.Command<CaOptions>(new PkiCommand(shared), (options, _) =>
        {
            Generate(options, tree.Output, time.GetUtcNow());
            return Task.FromResult(0);
        });
        return Parent(shared, command, CreateAndSignCommand.Create(shared, tree, time));
    }

    /// <summary>A command that only has others, whose flags may stand before their names.</summary>
    public static Command Parent(FlagSet shared, params Command[] children)
    {
        var parent = new Command(shared.Name.Split(' ')[^1], shared.Description);
        shared.ShareWith(parent);
        Array.ForEach(children, parent.Add);
        return parent;
    }

    private static void Generate(CaOptions options, TextWriter output, DateTimeOffset now)
    {
        var cert = new OutputFile(nameof(options.CaCertPath), options.CaCertPath);
        var key = new OutputFile(nameof(options.CaKeyPath), options.CaKeyPath);
        OutputFile.RequireDistinct(cert, key);
        if (!options.Force)
        {
            key.RequireNew();
            cert.RequireNew();
        }

        var (notBefore, notAfter) = options.Validity(now);
        var ca = CertificateAuthority.Create(options.Subject("Whip CA"), options.KeyType, notBefore, notAfter);
        PemWriter.Write(ca.Certificate, key, cert, replace: options.Force);
        output.WriteLine($"wrote {cert.Path} and {key.Path}: CA, valid until {notAfter:u}");
    }

    private sealed class CaOptions : PkiOptions
    {
        public bool Force { get; set; }
    }
}
