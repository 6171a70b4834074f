using System.Text.Json;
using System.Text.RegularExpressions;
using Whip.Protocol.Dialing;
using Whip.Tests.Docs;
using Whip.Tests.Hosting.Metrics;

namespace Whip.Tests.Deploy;

/// <summary>The rules of deploy/alerts.yml, held against what the programs export.</summary>
public sealed partial class AlertTests
{
    // A broker that is not ready, whose dials fail and whose certificate ends in a day; agents of which one has lost a broker, one refuses new
    // certificates and one is gone; and a broker with nothing but wrong dials.
    private const string Trouble = """
        rule_files: [RULES]
        evaluation_interval: 1m
        tests:
          - interval: 1m
            input_series:
              - { series: 'up{job="whip-agent", instance="gone"}', values: "0x20" }
              - { series: 'whip_ready{job="whip-broker", instance="b"}', values: "0x20" }
              - { series: 'whip_ready{job="whip-broker", instance="good"}', values: "1x20" }
              - { series: 'whip_agent_streams{job="whip-agent", instance="one"}', values: "1x20" }
              - { series: 'whip_agent_streams{job="whip-agent", instance="two"}', values: "2x20" }
              - { series: 'whip_broker_dials_total{job="whip-broker", instance="b", outcome="connected"}', values: "0+90x20" }
              - { series: 'whip_broker_dials_total{job="whip-broker", instance="b", outcome="unavailable"}', values: "0+10x20" }
              - { series: 'whip_broker_dials_total{job="whip-broker", instance="good", outcome="connected"}', values: "0+90x20" }
              - { series: 'whip_broker_dials_total{job="whip-broker", instance="good", outcome="denied"}', values: "0+90x20" }
              - { series: 'whip_broker_certificate_not_after_seconds{job="whip-broker", instance="b"}', values: "86400x20" }
              - { series: 'whip_broker_certificate_not_after_seconds{job="whip-broker", instance="good"}', values: "8640000x20" }
              - { series: 'whip_broker_certificate_not_after_seconds{job="whip-broker", instance="plain"}', values: "0x20" }
              - { series: 'whip_agent_reload_refused{job="whip-agent", instance="two", file="certificates"}', values: "1x20" }
              - { series: 'whip_agent_reload_refused{job="whip-agent", instance="one", file="certificates"}', values: "0x20" }
            promql_expr_test:
              - expr: count by (alertname, instance) (ALERTS{alertstate="firing"})
                eval_time: 15m
                exp_samples:
                  - { labels: '{alertname="WhipAgentHomeMissing", instance="one"}', value: 1 }
                  - { labels: '{alertname="WhipCertificate", instance="b"}', value: 1 }
                  - { labels: '{alertname="WhipCertificate", instance="two"}', value: 1 }
                  - { labels: '{alertname="WhipDialsFail", instance="b"}', value: 1 }
                  - { labels: '{alertname="WhipNotReady", instance="b"}', value: 1 }
                  - { labels: '{alertname="WhipNotReady", instance="gone"}', value: 1 }
        """;

    // Prometheus adds them to what it scrapes.
    private static readonly string[] LabelsOfPrometheus = ["instance", "job"];

    private static readonly string Rules = Path.Combine(Documents.Root, "deploy", "alerts.yml");
    private static readonly string Text = string.Join('\n', File.ReadLines(Rules).Where(line => !line.TrimStart().StartsWith('#')));

    [GeneratedRegex(@"\b(whip_[a-z_]+)(?:\{([^}]*)\})?")]
    private static partial Regex Metric { get; }

    [GeneratedRegex("""([a-z_]+)=~?"([^"]*)" ?,?""")]
    private static partial Regex Matcher { get; }

    [GeneratedRegex(@"by \(([a-z_, ]+)\)|\$labels\.([a-z_]+)")]
    private static partial Regex LabelUse { get; }

    [Fact]
    public void Every_metric_and_label_in_a_rule_is_exported()
    {
        var exported = ScrapeTests.Promised.Select(line => Regex.Match(line, @"^(\S+) \S+ \{(.*?)\}"))
            .ToDictionary(metric => metric.Groups[1].Value, metric => metric.Groups[2].Value.Split(','));
        var used = Metric.Matches(Text);
        Assert.All(used, metric =>
        {
            Assert.Contains(metric.Groups[1].Value, exported.Keys);
            Assert.All(Matcher.Matches(metric.Groups[2].Value), label => Assert.Contains(label.Groups[1].Value, exported[metric.Groups[1].Value]));
        });

        string[] known = [.. LabelsOfPrometheus, .. used.SelectMany(metric => exported[metric.Groups[1].Value])];
        var labels = LabelUse.Matches(Text).SelectMany(use => $"{use.Groups[1]}{use.Groups[2]}".Split(", "));
        Assert.All(labels, label => Assert.Contains(label, known));
    }

    [Fact]
    public void Every_outcome_in_a_rule_is_one_of_a_dial()
    {
        string[] outcomes = [.. Enum.GetNames<DialOutcome>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];
        var named = Matcher.Matches(Text).Where(label => label.Groups[1].Value == "outcome").SelectMany(label => label.Groups[2].Value.Split('|')).ToList();
        Assert.NotEmpty(named);
        Assert.All(named, outcome => Assert.Contains(outcome, outcomes));
    }

    [Fact]
    public void The_operations_page_says_what_each_alert_means()
    {
        var alerts = Regex.Matches(Text, @"- alert: (\w+)").Select(alert => alert.Groups[1].Value);
        var rows = Documents.TableRows(Documents.All["docs/operations.md"]).Select(row => row[0]).Where(cell => Regex.IsMatch(cell, "^Whip[A-Z]"));
        Assert.Equal(alerts, rows);
    }

    [SkippableFact]
    public async Task Prometheus_takes_the_rules_and_they_tell_trouble_from_its_absence()
    {
        Skip.If(ProgramFiles.Find("promtool") is null, "promtool, of the package prometheus, is not installed");
        using var folder = new TempFolder();
        var tests = folder.Write("trouble.yml", Trouble.Replace("RULES", Rules));
        var config = Path.Combine(Documents.Root, "deploy", "prometheus.yml");
        string[][] commands = [["check", "rules", Rules], ["check", "config", config], ["test", "rules", tests]];
        foreach (var command in commands)
        {
            var run = await ShellCommand.RunAsync(folder.FullName, "promtool", command);
            Assert.True(run.ExitCode == 0, run.Text);
        }
    }
}
