using System.CommandLine;
using System.Globalization;
using Whip.Hosting.Flags;
using Whip.Protocol.Admin;
using Whip.Protocol.Names;

namespace Whip.Cli.Admin;

/// <summary><c>whip status</c>: the state of brokers, and the members that each of them sees.</summary>
internal sealed class StatusCommand(CommandTree tree)
    : AdminQuestion("whip status", "Shows the state of brokers, and the members that each of them sees.", tree, static () => new AdminOptions())
{
    private const int MaxLine = 1536;

    public static Command Create(CommandTree tree)
    {
        var status = new StatusCommand(tree);
        return tree.Command<AdminOptions>(
            status, (options, stop) => status.AskAsync(options, "/api/status", AdminJson.Default.BrokerStatus, Show, _ => true, stop));
    }

    private static void Show(IReadOnlyList<BrokerStatus> brokers, TextWriter output)
    {
        var table = new TextTable("BROKER", "STATE", "CLUSTER", "ENGINE", "VERSION", "UP", "STREAMS", "INSTANCES", "UNHEALTHY", "RELAYS", "PENDING");
        foreach (var broker in brokers)
        {
            table.Add(
                broker.BrokerId, broker.State, broker.ClusterId ?? "", broker.Engine, broker.Version, ShortTime.Seconds(broker.UptimeSeconds),
                Number(broker.Streams), Number(broker.Instances), broker.UnhealthyPorts is { } unhealthy ? Number(unhealthy) : "",
                Number(broker.Relays), Number(broker.PendingDials));
        }

        table.Write(output);
        foreach (var broker in brokers)
        {
            ShowProblems(broker, output);
        }

        ShowListeners(brokers, output);
        ShowMembers(brokers, output);
    }

    private static void ShowProblems(BrokerStatus broker, TextWriter output)
    {
        if (broker.Problem is { } problem)
        {
            output.WriteLine(Printable.Clean($"{broker.BrokerId}: {problem}", MaxLine));
        }

        foreach (var refused in broker.RefusedFiles ?? [])
        {
            const string What = "what the file holds now is refused, and what it held before stays in force";
            output.WriteLine(Printable.Clean($"{broker.BrokerId}: {refused.File}: {What}: {refused.Problem}", MaxLine));
        }
    }

    private static void ShowListeners(IReadOnlyList<BrokerStatus> brokers, TextWriter output)
    {
        var table = new TextTable("BROKER", "LISTENER", "BOUND TO", "GIVEN TO OTHERS AS");
        foreach (var broker in brokers)
        {
            foreach (var listener in broker.Listeners)
            {
                table.Add(broker.BrokerId, listener.Name, listener.Bound, listener.External ?? "");
            }
        }

        output.WriteLine();
        table.Write(output);
    }

    private static void ShowMembers(IReadOnlyList<BrokerStatus> brokers, TextWriter output)
    {
        var table = new TextTable("SEEN BY", "MEMBER", "STATE", "SILO", "RTT", "ZONE", "INCARNATION", "GRPC", "TCP", "DIAL");
        foreach (var broker in brokers)
        {
            foreach (var member in broker.Members)
            {
                table.Add(
                    broker.BrokerId, member.Id, member.IsSuspect ? "suspect" : member.IsDraining ? "draining" : "ok",
                    Silo(broker, member), ShortTime.Milliseconds(member.RoundTripMs),
                    member.Zone, Number(member.Incarnation), member.Grpc, member.Tcp, member.Dial);
            }
        }

        if (brokers.Any(broker => broker.Members.Count > 0))
        {
            output.WriteLine();
            table.Write(output);
        }
    }

    private static string Silo(BrokerStatus broker, MemberStatus member) => broker.Silos is not { } silos ? "-" : silos.Contains(member.Id) ? "yes" : "no";

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
