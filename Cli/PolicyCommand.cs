using System.CommandLine;
using Whip.Hosting.Flags;
using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Protocol.Policy;

namespace Whip.Cli;

/// <summary><c>whip policy check FILE</c>: reads a dial policy as a broker does, and tells what it says of one dial.</summary>
internal sealed class PolicyCommand : FlagSet
{
    private const string Text = "Reads a dial policy as a broker does, and tells what it says of --dial. "
        + "Exits with 0 if the file is valid and the dial allowed, 1 if it is denied, 2 if the file is not valid.";

    private PolicyCommand()
        : base("whip policy check", Text, static () => new Options())
    {
        AddPositional(nameof(Options.File), "FILE", "The policy: a JSON array of rules {\"dialer\", \"name\", \"ports\", \"allow\"}.");
        Add(nameof(Options.Dialers), "NAME", "A name in the certificate of the dialer; without it, one that shows none.", "dialer");
        Add(nameof(Options.Dial), "HOST:PORT", "A dial to judge: a name and its port.");
    }

    public static Command Create(CommandTree tree) => new("policy", "Checks the file of a broker's --dial-policy.")
    {
        tree.Command<Options>(new PolicyCommand(), (options, _) => Task.FromResult(Run(options, tree.Output))),
    };

    private static int Run(Options options, TextWriter output)
    {
        var policy = Read(options.File);
        if (options.Target is not { } target)
        {
            output.WriteLine($"{options.File}: valid, {policy.Rules.Count} {(policy.Rules.Count == 1 ? "rule" : "rules")}");
            return 0;
        }

        var dialer = options.Dialers.Count == 0 ? "a dialer without a certificate" : Printable.Clean(string.Join(", ", options.Dialers));
        var rule = policy.Find([.. options.Dialers], target);
        var verdict = rule is null ? "denied, because no rule matches" : $"{(rule.Allow ? "allowed" : "denied")} by rule {rule.Number}";
        output.WriteLine($"{target} dialled by {dialer}: {verdict}");
        return rule is { Allow: true } ? 0 : 1;
    }

    private static DialPolicy Read(string path)
    {
        try
        {
            return DialPolicy.Parse(System.IO.File.ReadAllText(path));
        }
        catch (Exception error) when (error is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new WhipOptionException(nameof(Options.File), path, error.Message);
        }
    }

    private sealed class Options : ICheckedOptions
    {
        public string File { get; set; } = "";

        public IList<string> Dialers { get; } = [];

        public string? Dial { get; set; }

        public DialTarget? Target => Dial is null ? null : OptionText.Target(nameof(Dial), Dial);

        public void Check()
        {
            OptionText.Require(File.Length > 0, nameof(File), null, "required", "the file of --dial-policy");
            OptionText.Require(
                Dial is not null || Dialers.Count == 0, nameof(Dialers), null, "says nothing without {Dial}", "{Dial} instance1.testdom:22 with it");
            _ = Target;
        }
    }
}
