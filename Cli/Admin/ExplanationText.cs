using System.Globalization;
using Whip.Protocol.Admin;
using Whip.Protocol.Names;

namespace Whip.Cli.Admin;

/// <summary>Writes explanations for a terminal, one broker after the other.</summary>
internal static class ExplanationText
{
    public static void Write(IReadOnlyList<NameExplanation> answers, TextWriter output)
    {
        for (var i = 0; i < answers.Count; i++)
        {
            if (i > 0)
            {
                output.WriteLine();
            }

            Write(answers[i], output);
        }
    }

    private static void Write(NameExplanation answer, TextWriter output)
    {
        output.WriteLine(Printable.Clean($"{answer.Name}:{answer.Port} dialled at {answer.BrokerId}: {Verdict(answer)}", maxLength: 512));
        if (answer.IsAmbiguous)
        {
            output.WriteLine("It is both an instance and a domain, and is dialled as the instance.");
        }

        output.WriteLine(Printable.Clean(Policy(answer.Policy), maxLength: 1024));
        if (answer.Remembered is { } remembered)
        {
            output.WriteLine(Printable.Clean(Remembered(remembered), maxLength: 1024));
        }

        output.WriteLine();
        WriteBrokers(answer, output);
        if (answer.Streams.Count > 0)
        {
            output.WriteLine();
            StreamTable.Write(answer.Streams.Select(stream => (answer.BrokerId, stream)), output);
            if (answer.StreamsHere > answer.Streams.Count)
            {
                output.WriteLine($"and {answer.StreamsHere - answer.Streams.Count} more");
            }
        }

        WriteFailures(answer, output);
    }

    private static string Verdict(NameExplanation answer) => answer switch
    {
        { StreamId: { } stream } => $"goes to stream {stream} of this broker",
        { Holder: { } holder } => $"goes to broker {holder}",
        { Status: "port-not-published" } => $"fails, because no stream of it publishes port {answer.Port}",
        { Unhealthy: { } unhealthy } => $"fails, because {unhealthy}",
        { Status: "no-such-host" } => "fails, because no agent is registered under this name; its domain has others",
        { Status: "no-such-domain" } => "fails, because no agent is registered under this name or in such a domain",
        _ => $"fails: {answer.Status}",
    };

    private static string Policy(PolicyVerdict policy)
    {
        var lets = policy.IsAllowed ? "lets" : "does not let";
        return !policy.HasFile ? "There is no dial policy: every dialer may dial it."
            : policy.DialerNames.Count == 0 ? $"The dial policy {lets} a dialer without a certificate there; --dialer NAME asks for another."
            : $"The dial policy {lets} {string.Join(", ", policy.DialerNames)} there.";
    }

    private static string Remembered(RememberedHolders remembered) =>
        $"Remembered for {ShortTime.Seconds(remembered.AgeSeconds)}{(remembered.IsBelieved ? "" : ", too long to be used")}: "
        + (remembered.Brokers.Count == 0 ? "no other broker holds it." : $"held by {string.Join(", ", remembered.Brokers)}.");

    private static void WriteBrokers(NameExplanation answer, TextWriter output)
    {
        var table = new TextTable("BROKER", "STATE", "RTT", "HOLDS IT", "INSTANCES OF THE DOMAIN", "RELAYS");
        foreach (var broker in answer.Brokers)
        {
            var state = broker.IsSelf ? "itself" : !broker.IsSuspect ? "ok" : broker.IsLinked ? "suspect" : "suspect, no silo";
            table.Add(
                broker.BrokerId, state, ShortTime.Milliseconds(broker.RoundTripMs),
                !broker.HasAnswered ? "no answer" : broker.Fails ? "unhealthy" : broker.Publishes ? "yes" : broker.IsInstance ? "not this port" : "no",
                broker.IsDomain ? Instances(broker) : "",
                broker.IsDomain ? broker.Relays.ToString(CultureInfo.InvariantCulture) : "");
        }

        table.Write(output);
    }

    private static string Instances(HolderStatus broker) =>
        broker.FailingInstances == 0 ? $"{broker.Instances}" : $"{broker.Instances}, and {broker.FailingInstances} unhealthy";

    private static void WriteFailures(NameExplanation answer, TextWriter output)
    {
        output.WriteLine();
        if (answer.Failures.Count == 0)
        {
            output.WriteLine("No dial of it has failed here recently.");
            return;
        }

        var table = new TextTable("FAILED AT", "PORT", "FROM", "OUTCOME", "REASON");
        foreach (var failure in answer.Failures)
        {
            table.Add(
                UtcTime.Text(failure.At),
                failure.Port.ToString(CultureInfo.InvariantCulture), failure.Origin, failure.Outcome, failure.Reason);
        }

        table.Write(output);
    }
}
