using System.Text.Json;
using Whip.Protocol.Legs;
using Xunit.Abstractions;

namespace Whip.Tests.Protocol.Legs;

public sealed class PreambleFuzzTests(ITestOutputHelper output)
{
    private static readonly string[] Fragments =
    [
        "{", "}", "\"", "\\", "\\\"", "\\\\", ":", ",", "[", "]", " ", "\n", "null", "1e9", "\"connectionID\":", "\"connection_iD\":\"b\"",
        "{\"connectionID\":\"", "0123456789abcdef", "\\ud800", "\\u0000", "\u00ff", "\0", "{\"x\":{\"y\":\"}\"}}", "SSH-2.0-x\r\n", "\"a\":1,",
    ];

    [Fact]
    public void Generated_preambles_never_throw_and_end_where_they_end_in_any_pieces()
    {
        var random = Fuzz.Start(output, Fragments);
        var ended = 0;
        for (var i = 0; i < Fuzz.Inputs; i++)
        {
            var input = Generate(random);
            var end = Scan(input);
            Assert.Equal(end, ScanInPieces(input, random));
            if (end > 0)
            {
                ended++;
                Assert.Equal((byte)'}', input[end - 1]);
                Assert.Equal(end, Scan([.. input, .. Generate(random)]));
                var parsed = LegPreamble.Parse(input.AsSpan(0, end));
                Assert.NotEqual(parsed.ConnectionId is null, parsed.Problem.Length == 0);
            }

            LegPreamble.Parse(input);
        }

        output.WriteLine($"{ended} of {Fuzz.Inputs} were whole");
        Assert.InRange(ended, Fuzz.Inputs / 20, Fuzz.Inputs);
    }

    [Fact]
    public void The_scanner_ends_every_JSON_object_where_it_ends()
    {
        var random = Fuzz.Start(output, Fragments);
        for (var i = 0; i < Fuzz.Inputs; i++)
        {
            var id = RandomText(random, random.Next(1, 40));
            var json = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>
            {
                [RandomText(random, 5) + "x"] = RandomText(random, random.Next(20)),
                ["nested"] = new { a = new[] { RandomText(random, 3) }, b = new { c = RandomText(random, 4) } },
                ["connectionID"] = id,
            });
            Assert.Equal(json.Length, Scan([.. json, .. Generate(random)]));
            Assert.Equal(id, LegPreamble.Parse(json).ConnectionId);
        }
    }

    /// <summary>Zero: not ended; negative: not a JSON object.</summary>
    private static int Scan(ReadOnlySpan<byte> input) => new PreambleScanner().Scan(input);

    private static int ScanInPieces(ReadOnlySpan<byte> input, Random random)
    {
        var scanner = new PreambleScanner();
        for (var at = 0; at < input.Length;)
        {
            var length = Math.Min(random.Next(1, 4), input.Length - at);
            var end = scanner.Scan(input.Slice(at, length));
            if (end != 0)
            {
                return end < 0 ? end : at + end;
            }

            at += length;
        }

        return 0;
    }

    private static byte[] Generate(Fuzz random) => random.Next("{", of: 2);

    /// <summary>What a serializer escapes, and what it does not.</summary>
    private static string RandomText(Random random, int length) =>
        string.Create(length, random, static (span, random) =>
        {
            foreach (ref var c in span)
            {
                c = "ab{}\"\\/\n\u0001\u00e9[]: ,"[random.Next(15)];
            }
        });
}
