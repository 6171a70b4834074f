using Whip.Protocol.Messages;

namespace Whip.Protocol.ControlStreams;

/// <summary>What <see cref="Health"/> says, in words. It has no text of an agent's.</summary>
internal static class HealthText
{
    public static string Kind(CheckKind check) => check switch
    {
        CheckKind.Tcp => "tcp",
        CheckKind.Http => "http",
        _ => "other",
    };

    /// <param name="failure">One that this version does not know is <see cref="CheckFailure.Other"/>.</param>
    /// <param name="status">For <see cref="CheckFailure.Status"/>.</param>
    public static string Reason(CheckFailure failure, uint status) => failure switch
    {
        CheckFailure.Refused => "connection refused",
        CheckFailure.Timeout => "no answer in time",
        CheckFailure.Lost => "connection lost",
        CheckFailure.Unreachable => "unreachable",
        CheckFailure.Status when status is >= 100 and <= 999 => $"status {status}",
        CheckFailure.NotHttp => "not an HTTP answer",
        _ => "failed",
    };
}
