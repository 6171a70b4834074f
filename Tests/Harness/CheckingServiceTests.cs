using System.Net;
using Whip.Harness.Checking;
using Whip.Protocol.Legs;

namespace Whip.Tests.Harness;

/// <summary>The service accepts only what is right; both ends of an echo report the same end.</summary>
public sealed class CheckingServiceTests
{
    private const int PieceSize = 1000;

    private static readonly CheckedRelay Brief = new(5, PieceSize, TimeSpan.Zero);

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
    [InlineData(0)]
    [InlineData(1)]
    public async Task An_upload_with_a_wrong_byte_is_reset(byte change)
    {
        await using var service = new CheckingService();
        var content = Pattern.At(Pattern.Period - 10, PieceSize).ToArray();
        content[500] ^= change;
        await using var leg = await AskAsync(service, [.. CheckingService.Request(CheckingService.Upload, Pattern.Period - 10), .. content]);
        await leg.CompleteWritesAsync();
        var count = new byte[sizeof(long)];
        var answer = leg.ReadExactlyAsync(count).AsTask().WaitAsync(Patience.Long);
        if (change == 0)
        {
            await answer;
            Assert.Equal(content.Length, BitConverter.ToInt64(count));
        }
        else
        {
            await Assert.ThrowsAnyAsync<IOException>(() => answer);
        }
    }

    [Fact]
    public async Task A_whole_echo_is_whole_at_both_ends()
    {
        await using var service = new CheckingService();
        var end = await Brief.RunAsync(await AskAsync(service, []), Pattern.Period - 10, CancellationToken.None).WaitAsync(Patience.Long);
        Assert.Equal(EchoEnd.Whole, end);
        await Patience.UntilAsync(() => service.Echoes.Contains(EchoEnd.Whole), "that the service saw it");
    }

    [Fact]
    public async Task An_echo_that_the_dialer_ends_early_is_not_whole_at_the_service()
    {
        await using var service = new CheckingService();
        using var stop = new CancellationTokenSource();
        var running = new CheckedRelay(int.MaxValue, PieceSize, TimeSpan.Zero).RunAsync(await AskAsync(service, []), 0, stop.Token);
        await stop.CancelAsync();
        Assert.Equal(EchoEnd.Stopped, await running.WaitAsync(Patience.Long));
        await using var other = await AskAsync(service, CheckingService.Request(CheckingService.Echo, 0, 10));
        await other.CompleteWritesAsync();
        await Patience.UntilAsync(() => service.Echoes.Contains(EchoEnd.EarlyEnd), "that the service saw too little");
    }

    [Theory]
    [InlineData(0, "EarlyEnd")]
    [InlineData(PieceSize, "Wrong")]
    public async Task A_clean_end_too_early_and_a_wrong_byte_are_seen_by_the_dialer(int answered, string expected)
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var accepting = listener.AcceptSocketAsync();
        var running = Brief.RunAsync(await Leg.ConnectAsync((IPEndPoint)listener.LocalEndpoint, CancellationToken.None), 0, CancellationToken.None);
        await using var other = new Leg(await accepting.WaitAsync(Patience.Long));
        await other.ReadExactlyAsync(new byte[17 + PieceSize]).AsTask().WaitAsync(Patience.Long);
        await other.WriteAsync(new byte[answered]);
        await other.CompleteWritesAsync();
        Assert.Equal(expected, $"{await running.WaitAsync(Patience.Long)}");
    }

    private static async Task<Leg> AskAsync(CheckingService service, byte[] request)
    {
        var leg = await Leg.ConnectAsync(new IPEndPoint(IPAddress.Loopback, service.Port), CancellationToken.None).WaitAsync(Patience.Long);
        await leg.WriteAsync(request).AsTask().WaitAsync(Patience.Long);
        return leg;
    }
}
