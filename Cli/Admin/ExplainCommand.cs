using System.CommandLine;
using Whip.Protocol.Admin;
using Whip.Protocol.Options;

namespace Whip.Cli.Admin;

/// <summary><c>whip explain host.domain:port</c>: what a dial would come to, and why the last ones failed.</summary>
internal sealed class ExplainCommand
{
    private readonly AdminQuestion _question = new();
    private readonly Argument<string> _target = new("host:port") { Description = "The name to explain and its port" };
    private readonly Option<string[]> _dialers = CliOptions.List("--dialer", "A name in the certificate of the dialer whom the dial policy is to judge");

    public static Command Create()
    {
        var explain = new ExplainCommand();
        var command = new Command(
            "explain",
            "Tells what a dial of a name would come to: who holds it, which brokers answer, and why the last dials failed. Ends with 0 if it would find a stream, and --dialer be let there.")
        {
            explain._target,
            explain._dialers,
        };
        explain._question.AddTo(command);
        command.SetAction(explain.RunAsync);
        return command;
    }

    private Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var target = OptionText.Target(_target.Name, parsed.GetRequiredValue(_target));
        var dialers = parsed.GetRequiredValue(_dialers);
        var path = $"/api/explain?name={target.Name}&port={target.Port}{string.Concat(dialers.Select(dialer => $"&dialer={Uri.EscapeDataString(dialer)}"))}";
        return _question.AskAsync(
            parsed, path, AdminJson.Default.NameExplanation, ExplanationText.Write, answer => answer.Resolves && (dialers.Length == 0 || answer.Policy.IsAllowed), cancellationToken);
    }
}
