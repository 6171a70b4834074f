using System.Text;
using Whip.Protocol.Connect;
using Whip.Protocol.Names;
using Xunit.Abstractions;

namespace Whip.Tests.Protocol.Connect;

public sealed class ConnectFuzzTests(ITestOutputHelper output)
{
    private static readonly string[] Fragments =
    [
        "CONNECT ", "GET ", "instance1.testdom:5051", "[::1]:80", "a.b:0", "a.b:65536", " HTTP/1.1", " HTTP/1.0", "\r\n", "\n", "\r", "\r\n\r\n", "\n\n",
        "\0", " ", "\t", ":", "Whip-Wait: 5", "Whip-Deadline: 100", "whip-wait:60", "Whip-Redirect: accept", "Whip-Redirected: 2",
        "Whip-Progress: accept", "Whip-Dialer: a%2Cb,c", "Whip-Location: a.b:1", "Whip-Dialer-Address: 10.0.0.1:1 [::1]:2",
        "Content-Length: 0", "Content-Length: 9",
        "Transfer-Encoding: chunked", "Connection: Whip-Keep", "Whip-Keep: 0123456789abcdef", "Via: x", "Host: x",
        "\u00ff", "\u0016\u0003\u0001", "HTTP/1.1 200 OK", "HTTP/1.1 404 x", "99999999999999999999",
    ];

    [Fact]
    public void Generated_heads_never_throw_and_are_never_read_past_their_end()
    {
        var random = Fuzz.Start(output, Fragments);
        for (var i = 0; i < Fuzz.Inputs; i++)
        {
            var input = Generate(random);
            var whole = ConnectRequest.Parse(input);
            Assert.False(whole.Head is not null && whole.Problem is not null);
            if (whole.Head is not null)
            {
                Assert.InRange(whole.Consumed, 1, input.Length);
                Assert.EndsWith("\n", Encoding.Latin1.GetString(input, 0, whole.Consumed));
                Assert.Equal(whole, ConnectRequest.Parse(input.AsSpan(0, whole.Consumed)));
                Assert.Null(ConnectRequest.Parse(input.AsSpan(0, whole.Consumed - 1)).Head);
            }

            if (whole.Head is not null || whole.Problem is not null)
            {
                Assert.Equal(whole, ConnectRequest.Parse([.. input, .. Generate(random)]));
            }

            ConnectResponseHead.Parse(input);
        }
    }

    [Fact]
    public void Valid_heads_mutated_outside_their_target_keep_it_or_are_refused()
    {
        var random = Fuzz.Start(output, Fragments);
        var kept = 0;
        for (var i = 0; i < Fuzz.Inputs; i++)
        {
            var request = new ConnectRequest(DialTarget.Of($"host{random.Next(100)}.testdom", random.Next(1, 65536)))
            {
                Wait = random.Next(2) == 0 ? null : TimeSpan.FromSeconds(random.Next(61)),
                Deadline = random.Next(2) == 0 ? null : TimeSpan.FromMilliseconds(random.Next(120_000)),
                AcceptsRedirect = random.Next(2) == 0,
            };
            var parse = ConnectRequest.Parse(Mutate(random, request));
            if (parse.Head is { } head)
            {
                Assert.Equal(request.Target, head.Target);
                kept++;
            }
        }

        output.WriteLine($"{kept} of {Fuzz.Inputs} kept their target");
        Assert.InRange(kept, Fuzz.Inputs / 20, Fuzz.Inputs);
    }

    private static byte[] Generate(Fuzz random) => random.Next("CONNECT instance1.testdom:5051 HTTP/1.1\r\n", of: 3);

    /// <summary>One to three bytes outside "host:port" are replaced, removed or doubled, or one is put in that does not touch it.</summary>
    private static byte[] Mutate(Random random, ConnectRequest request)
    {
        var target = $"{request.Target}";
        var bytes = request.ToBytes().ToList();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var start = Encoding.Latin1.GetString([.. bytes]).IndexOf(target, StringComparison.Ordinal);
            var at = random.Next(bytes.Count);
            if (at >= start && at <= start + target.Length)
            {
                continue;
            }

            var value = (byte)(random.Next(2) == 0 ? random.Next(256) : "\r\n: \tA0\0"[random.Next(8)]);
            switch (random.Next(3))
            {
                case 0:
                    bytes[at] = value;
                    break;
                case 1:
                    bytes.RemoveAt(at);
                    break;
                default:
                    bytes.Insert(at, value);
                    break;
            }
        }

        return [.. bytes];
    }
}
