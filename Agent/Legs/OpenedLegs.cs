using System.Diagnostics.CodeAnalysis;
using Whip.Protocol.Legs;

namespace Whip.Agent.Legs;

/// <summary>Both legs, owned by the caller, or the phase and error class that prevented them.</summary>
internal sealed class OpenedLegs
{
    public OpenedLegs(Leg broker, Leg local) => (Broker, Local) = (broker, local);

    public OpenedLegs(string failure, Exception cause) => (Failure, Cause) = (failure, cause);

    [MemberNotNullWhen(true, nameof(Broker), nameof(Local))]
    [MemberNotNullWhen(false, nameof(Failure), nameof(Cause))]
    public bool IsOpen => Broker is not null;

    public Leg? Broker { get; }

    public Leg? Local { get; }

    public string? Failure { get; }

    public Exception? Cause { get; }
}
