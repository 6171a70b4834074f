using System.CommandLine;

namespace Whip.Cli.Pki;

/// <summary><c>whip pki genselfsignedca</c>.</summary>
internal static class GenSelfSignedCaCommand
{
    public static Command Create(PkiOptions options, TimeProvider time)
    {
        var force = new Option<bool>("--force") { Description = "Replace an existing CA; nothing it signed is trusted then" };
        var command = new Command("genselfsignedca", "Makes a CA: a key, and a certificate it signs itself.") { force };
        command.SetAction(parsed =>
        {
            var cert = new OutputFile(options.CaCertPath.Name, parsed.GetRequiredValue(options.CaCertPath));
            var key = new OutputFile(options.CaKeyPath.Name, parsed.GetRequiredValue(options.CaKeyPath));
            OutputFile.RequireDistinct(cert, key);
            var (notBefore, notAfter) = options.Validity(parsed, time.GetUtcNow());
            var ca = CertificateAuthority.Create(options.Subject(parsed, "Whip CA"), options.KeyType(parsed), notBefore, notAfter);
            PemWriter.Write(ca.Certificate, key, cert, replaceKey: parsed.GetValue(force));
            parsed.InvocationConfiguration.Output.WriteLine($"wrote {cert.Path} and {key.Path}: CA, valid until {notAfter:u}");
        });
        return command;
    }
}
