using System.CommandLine;

namespace Whip.Cli.Pki;

/// <summary><c>whip pki</c>: a CA of one's own and the certificates of brokers and clients.</summary>
internal static class PkiCommand
{
    public static Command Create(TimeProvider time)
    {
        var options = new PkiOptions();
        var pki = new Command("pki", "Makes a CA and the certificates of brokers, agents and dialers.")
        {
            GenSelfSignedCaCommand.Create(options, time),
            CreateAndSignCommand.Create(options, time),
        };
        foreach (var option in options.All)
        {
            option.Recursive = true;
            pki.Add(option);
        }

        return pki;
    }
}
