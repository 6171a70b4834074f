using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Whip.Hosting.Flags;
using Whip.Protocol.Options;

namespace Whip.Cli.Admin;

/// <summary>The options that every command that asks brokers has.</summary>
internal class AdminOptions : ICheckedOptions
{
    public IList<string> Admins { get; } = ["127.0.0.1:8081"];

    public string? AdminTokenPath { get; set; }

    public bool Json { get; set; }

    public string[] Addresses => [.. Admins.DefaultIfEmpty("").Select(admin => OptionText.EndPoint(nameof(Admins), admin, "127.0.0.1:8081").ToString())];

    public virtual void Check() => _ = Addresses;
}

/// <summary>A command that asks brokers and shows their answers.</summary>
internal abstract class AdminQuestion : FlagSet
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly CommandTree _tree;

    protected AdminQuestion(string name, string description, CommandTree tree, Func<AdminOptions> newOptions)
        : base(name, description, newOptions)
    {
        _tree = tree;
        Add(nameof(AdminOptions.Admins), "HOST:PORT", "The admin listener of a broker.", "admin");
        Add(nameof(AdminOptions.AdminTokenPath), "FILE", "A file with the token that the brokers ask for.");
        Add(nameof(AdminOptions.Json), "", "Write the answer as JSON; with several brokers an array of admin and answer or problem.");
    }

    /// <summary>Asks every broker and shows the answers. Each failure is a line of error, and makes the exit code 1.</summary>
    protected async Task<int> AskAsync<T>(
        AdminOptions options,
        string path,
        JsonTypeInfo<T> type,
        Action<IReadOnlyList<T>, TextWriter> show,
        Func<T, bool> isGood,
        CancellationToken cancellationToken)
        where T : class
    {
        var token = string.IsNullOrEmpty(options.AdminTokenPath)
            ? null
            : SecretFile.ReadToken(nameof(options.AdminTokenPath), options.AdminTokenPath, "the file that the broker was started with");
        using var client = new AdminClient(token);
        var answers = await Task.WhenAll(options.Addresses.Select(admin => client.AskAsync(admin, path, type, cancellationToken)));
        foreach (var problem in answers.Select(answer => answer.Problem).OfType<string>())
        {
            await _tree.Error.WriteLineAsync($"whip: {problem}");
        }

        var values = answers.Select(answer => answer.Value).OfType<T>().ToList();
        if (options.Json && (values.Count > 0 || answers.Length > 1))
        {
            await _tree.Output.WriteLineAsync(Document(answers).ToJsonString(Indented));
        }
        else if (values.Count > 0)
        {
            show(values, _tree.Output);
        }

        return values.Count == answers.Length && values.TrueForAll(value => isGood(value)) ? 0 : 1;
    }

    private static JsonNode Document<T>(AdminAnswer<T>[] answers)
        where T : class =>
        answers is [{ Document: { } only }] ? only : new JsonArray([.. answers.Select(answer => answer.Document is { } document
            ? new JsonObject { ["admin"] = answer.Admin, ["answer"] = document }
            : new JsonObject { ["admin"] = answer.Admin, ["problem"] = answer.Problem })]);
}
