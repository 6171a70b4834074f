using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Whip.Harness.Checking;
using Whip.Protocol.Legs;

namespace Whip.Tests.Bench;

/// <summary>The figures tell the truth: what they say, and what is not counted.</summary>
public sealed class MeasuringTests
{
    [Theory]
    [InlineData("dials --concurrency 2", new[] { 2 }, "dials", "dial-p50", "dial-p99", "dial-cpu", "dial-cpu")]
    [InlineData("relay", new[] { 1, 8 }, "relay", "relay-cpu", "relay-cpu", "relay", "relay-cpu", "relay-cpu")]
    public async Task Every_figure_is_a_line_of_json(string args, int[] sizes, params string[] names)
    {
        await using var bench = new BenchProcess([.. args.Split(' '), "--seconds", "0.5", "--tls=false"]);
        var (exitCode, error) = await bench.EndAsync();
        Assert.True(exitCode == 0, error);
        var figures = bench.Output.Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal(sizes.SelectMany(_ => names), figures.Select(f => f.GetProperty("name").GetString()));
        Assert.All(figures, figure =>
        {
            Assert.True(figure.GetProperty("value").GetDouble() >= 0);
            Assert.InRange(figure.GetProperty("seconds").GetDouble(), 0.45, double.MaxValue);
            Assert.NotEmpty(figure.GetProperty("unit").GetString()!);
            Assert.False(figure.GetProperty("tls").GetBoolean());
        });
        Assert.Equal(
            sizes.SelectMany(size => names.Select(_ => size)),
            figures.Select(f => f.GetProperty("parameters").EnumerateObject().First().Value.GetInt32()));
        Assert.True(figures[0].GetProperty("value").GetDouble() > 0);
    }

    [Fact]
    public async Task The_registry_of_a_broker_is_measured()
    {
        await using var bench = new BenchProcess("registry", "--streams", "30000");
        var (exitCode, error) = await bench.EndAsync();
        Assert.True(exitCode == 0, error);
        var figures = bench.Output.Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal(["stream-memory", "resolve-local"], figures.Select(f => f.GetProperty("name").GetString()));
        Assert.All(figures, figure => Assert.True(figure.GetProperty("value").GetDouble() > 0));
    }

    [Fact]
    public async Task A_service_answers_only_what_is_right()
    {
        await using var service = new CheckingService();
        var question = new byte[1 + Nonce.QuestionSize];
        question[0] = CheckingService.Answer;
        var expected = Nonce.Ask(question.AsSpan(1));
        await using var right = await AskAsync(service, question);
        var answer = new byte[Nonce.AnswerSize];
        await right.ReadExactlyAsync(answer).AsTask().WaitAsync(Patience.Long);
        Assert.True(Nonce.IsAnswer(answer, expected));
        Assert.False(Nonce.IsAnswer(question.AsSpan(1), expected));

        question[5] ^= 1;
        await using var wrong = await AskAsync(service, question);
        await Assert.ThrowsAnyAsync<IOException>(() => wrong.ReadAsync(answer).AsTask().WaitAsync(Patience.Long));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task An_upload_with_a_wrong_byte_is_reset(byte change, bool isAccepted)
    {
        await using var service = new CheckingService();
        var content = Pattern.At(Pattern.Period - 10, 1000).ToArray();
        content[500] ^= change;
        byte[] upload = [CheckingService.Upload, .. BitConverter.GetBytes((long)Pattern.Period - 10), .. content];
        await using var leg = await AskAsync(service, upload);
        await leg.CompleteWritesAsync();
        var count = new byte[sizeof(long)];
        var answer = leg.ReadExactlyAsync(count).AsTask().WaitAsync(Patience.Long);
        if (isAccepted)
        {
            await answer;
            Assert.Equal(content.Length, BitConverter.ToInt64(count));
        }
        else
        {
            await Assert.ThrowsAnyAsync<IOException>(() => answer);
        }
    }

    private static async Task<Leg> AskAsync(CheckingService service, byte[] request)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, service.Port).WaitAsync(Patience.Long);
        var leg = new Leg(socket);
        await leg.WriteAsync(request).AsTask().WaitAsync(Patience.Long);
        return leg;
    }
}
