using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Whip.Protocol.Options;

namespace Whip.Cli.Admin;

/// <summary>What the commands that look at brokers have in common: whom to ask, as whom, and how to show the answers.</summary>
internal sealed class AdminQuestion
{
    // What a shell reports for a program that Ctrl-C ended.
    private const int Interrupted = 130;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly Option<string[]> _admins = CliOptions.List(
        "--admin", "HOST:PORT of a broker's admin listener", CliOptions.FromEnvironment("--admin") is { Length: > 0 } admins ? admins.Split(',') : ["127.0.0.1:8081"]);

    private readonly Option<string> _tokenPath = CliOptions.Text("--admin-token-path", "A file with the token the brokers ask for", CliOptions.FromEnvironment("--admin-token-path"));
    private readonly Option<bool> _json = new("--json") { Description = "The answer as JSON; with several brokers an array of admin and answer or problem" };

    public void AddTo(Command command)
    {
        command.Add(_admins);
        command.Add(_tokenPath);
        command.Add(_json);
    }

    /// <summary>Asks every broker and shows what they answer; those that do not are a line of error each. Returns the exit code.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="path">What to ask.</param>
    /// <param name="type">Of the answers.</param>
    /// <param name="show">Writes the answers, at least one, for a terminal.</param>
    /// <param name="isGood">Whether the exit code may be 0.</param>
    /// <param name="cancellationToken">Ends it with the exit code of an interrupt.</param>
    public async Task<int> AskAsync<T>(
        ParseResult parsed, string path, JsonTypeInfo<T> type, Action<IReadOnlyList<T>, TextWriter> show, Func<T, bool> isGood, CancellationToken cancellationToken)
        where T : class
    {
        var admins = Admins(parsed);
        using var client = new AdminClient(Token(parsed));
        AdminAnswer<T>[] answers;
        try
        {
            answers = await Task.WhenAll(admins.Select(admin => client.AskAsync(admin, path, type, cancellationToken)));
        }
        catch (OperationCanceledException)
        {
            return Interrupted;
        }

        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        foreach (var problem in answers.Select(answer => answer.Problem).OfType<string>())
        {
            await error.WriteLineAsync($"whip: {problem}");
        }

        var values = answers.Select(answer => answer.Value).OfType<T>().ToList();
        if (parsed.GetValue(_json) && (values.Count > 0 || answers.Length > 1))
        {
            await output.WriteLineAsync(Document(answers).ToJsonString(Indented));
        }
        else if (values.Count > 0)
        {
            show(values, output);
        }

        return values.Count > 0 && values.TrueForAll(value => isGood(value)) ? 0 : 1;
    }

    private string[] Admins(ParseResult parsed)
    {
        string[] admins = parsed.GetRequiredValue(_admins) is { Length: > 0 } given ? given : [""];
        return [.. admins.Select(admin => OptionText.EndPoint(_admins.Name, admin, "127.0.0.1:8081").ToString())];
    }

    private string? Token(ParseResult parsed)
    {
        var path = parsed.GetRequiredValue(_tokenPath);
        return path.Length == 0 ? null : SecretFile.ReadToken(_tokenPath.Name, path, "the file that the broker was started with");
    }

    private static JsonNode Document<T>(AdminAnswer<T>[] answers)
        where T : class =>
        answers is [{ Document: { } only }] ? only : new JsonArray([.. answers.Select(answer => answer.Document is { } document
            ? new JsonObject { ["admin"] = answer.Admin, ["answer"] = document }
            : new JsonObject { ["admin"] = answer.Admin, ["problem"] = answer.Problem })]);
}
