using Whip.Protocol.Messages;

namespace Whip.Agent.Checks;

/// <summary>What the check of one port has found, from <paramref name="Since"/> on, on the monotonic clock. A change of it is another object.</summary>
internal sealed record PortHealth(PortCheck Check, CheckResult Result, long Since)
{
    public bool IsOk => Result.IsOk;

    public Health ToMessage(TimeProvider time) => new()
    {
        Port = (uint)Check.Port,
        Ok = IsOk,
        Seconds = (uint)Math.Min(time.GetElapsedTime(Since).TotalSeconds, uint.MaxValue),
        Check = Check.Kind,
        Failure = Result.Failure,
        Status = (uint)Result.Status,
    };
}

/// <summary>How one check ended.</summary>
/// <param name="IsOk">The service answered as it should.</param>
/// <param name="Failure">The class of the failure.</param>
/// <param name="Status">The HTTP status that is one; else 0.</param>
/// <param name="Detail">For this machine's own log.</param>
internal sealed record CheckResult(bool IsOk, CheckFailure Failure = CheckFailure.Other, int Status = 0, string Detail = "")
{
    public static readonly CheckResult Ok = new(true);
}
