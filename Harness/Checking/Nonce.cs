using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Whip.Harness.Checking;

/// <summary>
/// A question that only a service that has read all of it can answer: a random number and its check, answered with another function
/// of the number. Neither an echo on the way nor a mixed-up connection counts as an answer.
/// </summary>
internal static class Nonce
{
    public const int QuestionSize = 16;
    public const int AnswerSize = 8;

    private const ulong CheckFactor = 0x9E37_79B9_7F4A_7C15;
    private const ulong AnswerFactor = 0xC2B2_AE3D_27D4_EB4F;

    /// <summary>Asks a <see cref="CheckingService"/> over a new stream.</summary>
    /// <exception cref="DialFailedException">The answer is wrong.</exception>
    public static async Task ExchangeAsync(Stream stream, CancellationToken cancellationToken)
    {
        var message = new byte[1 + QuestionSize];
        message[0] = CheckingService.Answer;
        var expected = Ask(message.AsSpan(1));
        await stream.WriteAsync(message, cancellationToken);
        await stream.ReadExactlyAsync(message.AsMemory(0, AnswerSize), cancellationToken);
        if (!IsAnswer(message, expected))
        {
            throw new DialFailedException("the answer is wrong");
        }
    }

    /// <summary>Fills <paramref name="question"/> and returns what must come back.</summary>
    public static ulong Ask(Span<byte> question)
    {
        RandomNumberGenerator.Fill(question[..8]);
        var number = BinaryPrimitives.ReadUInt64LittleEndian(question);
        BinaryPrimitives.WriteUInt64LittleEndian(question[8..], number * CheckFactor);
        return number * AnswerFactor;
    }

    /// <summary>Writes the answer; false when the question's check is wrong.</summary>
    public static bool TryAnswer(ReadOnlySpan<byte> question, Span<byte> answer)
    {
        var number = BinaryPrimitives.ReadUInt64LittleEndian(question);
        BinaryPrimitives.WriteUInt64LittleEndian(answer, number * AnswerFactor);
        return BinaryPrimitives.ReadUInt64LittleEndian(question[8..]) == number * CheckFactor;
    }

    public static bool IsAnswer(ReadOnlySpan<byte> answer, ulong expected) => BinaryPrimitives.ReadUInt64LittleEndian(answer) == expected;
}
