using Whip.Protocol.Names;
using Whip.Registry;

namespace Whip.Broker.Dialing;

/// <summary>One dial on its way. Owned by the one call that runs it.</summary>
internal sealed class Dial(DialTarget target, DialOrigin origin, TimeSpan wait, TimeSpan deadline, long started)
{
    public const string TheAgent = "the agent's leg";

    public DialTarget Target { get; } = target;

    public string Name => Target.Name;

    public int Port => Target.Port;

    public DialOrigin Origin { get; } = origin;

    public TimeSpan Wait { get; } = wait;

    /// <summary>From <see cref="Started"/>, the wait included.</summary>
    public TimeSpan Deadline { get; } = deadline;

    public long Started { get; } = started;

    public List<StreamRoute> Tried { get; } = [];

    public List<string> TriedBrokers { get; } = [];

    public DialPath Path { get; set; } = origin.Scope == ResolveScope.OwnOnly ? DialPath.Forwarded : DialPath.Local;

    /// <summary>What a passed deadline is blamed on.</summary>
    public string WaitedFor { get; set; } = TheAgent;

    /// <summary>What to ask the registry next.</summary>
    public ResolveRequest Question => new(Target, Tried) { TriedBrokers = TriedBrokers, Scope = Origin.Scope, Zone = Origin.Zone };

    public TimeSpan Remaining(TimeProvider time) => Deadline - time.GetElapsedTime(Started);
}
