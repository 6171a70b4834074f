using System.Text.RegularExpressions;
using Google.Protobuf.Reflection;
using Whip.Hosting;
using Whip.Hosting.Flags;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Protocol.Policy;
using Whip.Tests.Hosting.Metrics;

namespace Whip.Tests.Docs;

/// <summary>What the documents claim, held against the programs.</summary>
public sealed partial class DocumentTests
{
    // Of curl, dotnet, git and unshare, not ours.
    private static readonly string[] ForeignFlags =
    [
        "--fail", "--filter", "--map-root-user", "--net", "--project", "--proxy", "--proxy-cacert", "--proxy-cert", "--proxy-key", "--proxytunnel", "--retry",
        "--retry-connrefused", "--retry-delay", "--socks5-hostname", "--verify-no-changes",
    ];

    [GeneratedRegex(
        @"\]\((?!http)([^)#]*)(#[^)]*)?\)|`((?:[A-Za-z.][A-Za-z0-9.]*/)+[A-Za-z0-9.]*|[A-Z][A-Za-z.]*\.(?:md|props|targets|sln)|Makefile|[a-z]+\.sh)`")]
    private static partial Regex PathMention { get; }

    [GeneratedRegex(@"^(#+) (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading { get; }

    [Fact]
    public async Task Every_flag_a_document_names_exists()
    {
        var known = await ProgramHelp.AllFlagsAsync();
        known.UnionWith(ForeignFlags);
        var unknown = Documents.All.SelectMany(document =>
            ProgramHelp.FlagName.Matches(document.Value).Where(flag => !known.Contains(flag.Value)).Select(flag => $"{document.Key}: {flag.Value}"));
        Assert.Empty(unknown);
    }

    [Fact]
    public void Every_file_a_document_names_exists()
    {
        var missing = new List<string>();
        foreach (var (document, text) in Documents.All)
        {
            foreach (Match mention in PathMention.Matches(text))
            {
                var isLink = mention.Groups[3].Length == 0;
                var start = isLink ? Path.GetDirectoryName(document)! : "";
                var path = Path.Combine(Documents.Root, start, isLink ? mention.Groups[1].Value : mention.Groups[3].Value);

                // What a build makes is not there in a fresh clone; the walk-through uses it.
                if (Path.GetRelativePath(Documents.Root, path) is "bin" or "bin/")
                {
                    continue;
                }

                var exists = path.EndsWith('/') || !Path.HasExtension(path) ? Path.Exists(path) : File.Exists(path);
                if (!exists)
                {
                    missing.Add($"{document}: {mention.Value}");
                }
            }
        }

        Assert.Empty(missing);
    }

    [Fact]
    public void Every_link_to_a_section_leads_to_one()
    {
        foreach (var (document, text) in Documents.All)
        {
            var links = Regex.Matches(text, @"\]\(([^)#]*)#([^)]+)\)");
            Assert.All(links, link =>
            {
                var target = link.Groups[1].Length == 0
                    ? document
                    : Path.GetRelativePath(Documents.Root, Path.Combine(Documents.Root, Path.GetDirectoryName(document)!, link.Groups[1].Value));
                var anchors = Heading.Matches(Documents.All[target])
                    .Select(heading => Regex.Replace(heading.Groups[2].Value.ToLowerInvariant(), "[^a-z0-9 -]", "").Replace(' ', '-'));
                Assert.Contains(link.Groups[2].Value, anchors);
            });
        }
    }

    [Fact]
    public void The_table_of_ports_has_the_programs_defaults()
    {
        var rows = Documents.TableRows(Documents.Readme).Where(row => row[0].StartsWith("--", StringComparison.Ordinal)).ToList();
        Assert.All(rows, row => Assert.Equal(ProgramHelp.Sets[row[1]].All.Single(flag => $"--{flag.Name}" == row[0]).DefaultText, row[2]));

        var listening = ProgramHelp.Sets.Values
            .SelectMany(set => set.All.Where(flag => flag.Unit.Length > 0 && flag.Name.Contains("listen", StringComparison.Ordinal)),
                (set, flag) => $"--{flag.Name} {set.Name}");
        Assert.Equal(listening.Order(), rows.Select(row => $"{row[0]} {row[1]}").Order());
    }

    [Fact]
    public void The_dial_policy_of_the_readme_says_what_the_readme_says()
    {
        var policy = DialPolicy.Parse(DocBlock.Read(Documents.Readme).Single(block => block.Marker == "dial-policy").Text);
        Assert.True(policy.Allows(["bob.dialers"], DialTarget.Of("instance1.testdom", 22)));
        Assert.False(policy.Allows(["bob.dialers"], DialTarget.Of("instance1.testdom", 80)));
        Assert.False(policy.Allows(["bob.dialers"], DialTarget.Of("testdom", 5051)));
        Assert.True(policy.Allows(["alice.dialers"], DialTarget.Of("testdom", 80)));
        Assert.False(policy.Allows(["mallory.dialers"], DialTarget.Of("instance1.testdom", 22)));
        Assert.False(policy.Allows([], DialTarget.Of("instance1.testdom", 22)));
    }

    [Fact]
    public void The_configuration_files_of_the_operations_page_are_taken()
    {
        using var folder = new TempFolder();
        Assert.Equal("json", Read("whip-broker").Program.LogFormat);
        Assert.Equal("broker1.example.com:50051,broker2.example.com:50051", Read("whip-agent")["endpoint"]);

        FlagValues Read(string program)
        {
            var block = DocBlock.Read(Documents.All["docs/operations.md"]).Single(block => block.Marker == $"config {program}");
            return ProgramHelp.Sets[program].Parse(["--config", folder.Write($"{program}.json", block.Text)], _ => null).Values;
        }
    }

    [Fact]
    public void The_operations_page_lists_every_metric()
    {
        var rows = Documents.TableRows(Documents.All["docs/operations.md"]).Where(row => row[0].StartsWith("whip_", StringComparison.Ordinal));
        Assert.Equal(
            ScrapeTests.Promised.Select(line => Regex.Match(line, @"^(\S+ \S+) \{(.*?)\}"))
                .Select(metric => $"{metric.Groups[1]} {metric.Groups[2]}".TrimEnd()).Order(),
            rows.Select(row => $"{row[0]} {row[1]} {row[2].Replace(", ", ",", StringComparison.Ordinal)}".TrimEnd()).Order());
    }

    [Fact]
    public void The_wire_page_has_every_message_and_field()
    {
        var rows = Documents.TableRows(Documents.All["docs/wire.md"]).Where(row => row.Length == 2).ToLookup(row => row[0], row => row[1]);
        Assert.All(WhipReflection.Descriptor.MessageTypes, message => Assert.Equal([Fields(message)], rows[message.Name]));

        static string Fields(MessageDescriptor message) =>
            message.Fields.InFieldNumberOrder().Count == 0 ? "none" : string.Join(
                ", ", message.Fields.InFieldNumberOrder().Select(field => $"{field.Name} {field.FieldNumber}"));
    }

    [Fact]
    public void The_wire_page_has_every_outcome_of_a_dial()
    {
        var rows = Documents.TableRows(Documents.All["docs/wire.md"]).Where(row => row.Length == 3 && row[0].Length == 3).Select(row => $"{row[0]} {row[1]}");
        var outcomes = Enum.GetValues<DialOutcome>().Except([DialOutcome.BrokerUnreachable, DialOutcome.ProtocolError]);
        Assert.Equal(outcomes.Select(outcome => $"{DialStatus.ToStatus(outcome)} {DialStatus.ToName(outcome)}").Order(), rows.Order());
    }

    [Fact]
    public void The_architecture_page_has_every_limit()
    {
        var limits = new WhipLimits();
        var rows = Documents.TableRows(Documents.All["docs/architecture.md"]).ToDictionary(row => row[0], row => row.ElementAtOrDefault(1));
        Assert.All(typeof(WhipLimits).GetProperties(), limit => Assert.Equal(
            limit.GetValue(limits) is TimeSpan time ? GoDuration.Format(time) : $"{limit.GetValue(limits):N0}", rows.GetValueOrDefault(limit.Name)));
    }
}
