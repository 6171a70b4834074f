using System.CommandLine;
using Whip.Hosting.Flags;
using Whip.Protocol.Admin;
using Whip.Protocol.Names;
using Whip.Protocol.Options;

namespace Whip.Cli.Admin;

/// <summary><c>whip explain host.domain:port</c>: the result that a dial would have, and why the last ones failed.</summary>
internal sealed class ExplainCommand : AdminQuestion
{
    private const string Text = "Tells the result that a dial of a name would have: the stream, the brokers that answer, and why the last dials failed. "
        + "Exits with 0 if the dial would find a stream and the dial policy allows it to --dialer.";

    private ExplainCommand(CommandTree tree)
        : base("whip explain", Text, tree, static () => new Options())
    {
        AddPositional(nameof(Options.Target), "host:port", "The name to explain and its port.");
        Add(nameof(Options.Dialers), "NAME", "A name in the certificate of a dialer, for the dial policy.", "dialer");
    }

    public static Command Create(CommandTree tree)
    {
        var explain = new ExplainCommand(tree);
        return tree.Command<Options>(explain, explain.RunAsync);
    }

    private Task<int> RunAsync(Options options, CancellationToken cancellationToken)
    {
        var dialers = string.Concat(options.Dialers.Select(dialer => $"&dialer={Uri.EscapeDataString(dialer)}"));
        return AskAsync(
            options,
            $"/api/explain?name={options.Name.Name}&port={options.Name.Port}{dialers}",
            AdminJson.Default.NameExplanation,
            ExplanationText.Write,
            answer => answer.Resolves && (options.Dialers.Count == 0 || answer.Policy.IsAllowed),
            cancellationToken);
    }

    private sealed class Options : AdminOptions
    {
        public string Target { get; set; } = "";

        public IList<string> Dialers { get; } = [];

        public DialTarget Name => OptionText.Target(nameof(Target), Target);

        public override void Check()
        {
            base.Check();
            _ = Name;
        }
    }
}
