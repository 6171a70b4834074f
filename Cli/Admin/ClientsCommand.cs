using System.CommandLine;
using Whip.Protocol.Admin;
using Whip.Protocol.Names;
using Whip.Protocol.Options;

namespace Whip.Cli.Admin;

/// <summary><c>whip clients</c>: the agents' streams that brokers hold.</summary>
internal sealed class ClientsCommand
{
    private readonly AdminQuestion _question = new();
    private readonly Option<string> _domain = CliOptions.Text("--domain", "Only the instances of this domain");
    private readonly Option<int> _limit = new("--limit") { Description = "How many of each broker", DefaultValueFactory = _ => 1000 };

    public static Command Create()
    {
        var clients = new ClientsCommand();
        var command = new Command("clients", "Lists the agents' streams that brokers hold; --admin and --admin-token-path also read WHIP_FLAG.") { clients._domain, clients._limit };
        clients._question.AddTo(command);
        command.SetAction(clients.RunAsync);
        return command;
    }

    private Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var limit = parsed.GetValue(_limit);
        if (limit is < 1 or > ClientList.MaxLimit)
        {
            throw new WhipOptionException(_limit.Name, $"{limit}", $"not from 1 to {ClientList.MaxLimit}", "1000");
        }

        var path = $"/api/clients?limit={limit}";
        var domain = parsed.GetRequiredValue(_domain);
        if (domain.Length > 0)
        {
            OptionText.Require(DnsName.TryNormalize(domain, out var name), _domain.Name, domain, "not a DNS name", "testdom");
            path += $"&domain={name}";
        }

        return _question.AskAsync(parsed, path, AdminJson.Default.ClientList, Show, _ => true, cancellationToken);
    }

    private static void Show(IReadOnlyList<ClientList> lists, TextWriter output)
    {
        var streams = lists.SelectMany(list => list.Clients, (list, stream) => (list.BrokerId, stream)).OrderBy(entry => entry.stream.Name, StringComparer.Ordinal);
        StreamTable.Write(streams, output);
        foreach (var list in lists.Where(list => list.Total > list.Clients.Count || list.Total == 0))
        {
            output.WriteLine(list.Total == 0
                ? $"{list.BrokerId} holds none."
                : $"{list.BrokerId} holds {list.Total}, of which {list.Clients.Count} are listed; try --limit or --domain.");
        }
    }
}
