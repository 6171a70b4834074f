using System.CommandLine;
using Whip.Hosting.Flags;
using Whip.Protocol.Admin;
using Whip.Protocol.Names;
using Whip.Protocol.Options;

namespace Whip.Cli.Admin;

/// <summary><c>whip clients</c>: the agents' streams that brokers hold.</summary>
internal sealed class ClientsCommand : AdminQuestion
{
    private ClientsCommand(CommandTree tree)
        : base("whip clients", "Lists the agents' streams that brokers hold.", tree, static () => new Options())
    {
        Add(nameof(Options.Domain), "NAME", "Only the instances of this domain.", static (source, text) => DomainName(source, text));
        AddNumber(nameof(Options.Limit), "NUMBER", "How many streams to list of each broker.", 1, ClientList.MaxLimit);
    }

    public static Command Create(CommandTree tree)
    {
        var clients = new ClientsCommand(tree);
        return tree.Command<Options>(clients, clients.RunAsync);
    }

    private Task<int> RunAsync(Options options, CancellationToken cancellationToken)
    {
        var domain = options.Domain is null ? "" : $"&domain={options.Domain}";
        return AskAsync(options, $"/api/clients?limit={options.Limit}{domain}", AdminJson.Default.ClientList, Show, _ => true, cancellationToken);
    }

    private static string DomainName(string source, string text) =>
        DnsName.TryNormalize(text, out var name) ? name : throw new WhipOptionException(source, text, "not a DNS name", "testdom");

    private static void Show(IReadOnlyList<ClientList> lists, TextWriter output)
    {
        var streams = lists.SelectMany(list => list.Clients, (list, stream) => (list.BrokerId, stream));
        StreamTable.Write(streams.OrderBy(entry => entry.stream.Name, StringComparer.Ordinal), output);
        foreach (var list in lists.Where(list => list.Total > list.Clients.Count || list.Total == 0))
        {
            output.WriteLine(list.Total == 0
                ? $"{list.BrokerId} holds none."
                : $"{list.BrokerId} holds {list.Total}, of which {list.Clients.Count} are listed; try --limit or --domain.");
        }
    }

    private sealed class Options : AdminOptions
    {
        public string? Domain { get; set; }

        public int Limit { get; set; } = 1000;
    }
}
