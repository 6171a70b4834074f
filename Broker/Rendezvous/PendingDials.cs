using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Whip.Broker.ControlStreams;

namespace Whip.Broker.Rendezvous;

/// <summary>
/// The dials that wait for a leg, by connection id: 128 random bits that are used once. An entry is added before its Connect is sent, and whoever
/// removes it ends the dial.
/// </summary>
internal sealed class PendingDials(TimeProvider time)
{
    // How an agent's report of a failure begins that is not about its local port.
    private const string LegPhase = "leg: ";

    private readonly ConcurrentDictionary<string, PendingDial> _byId = new();

    public int Count => _byId.Count;

    /// <summary>Legs that were refused before they said which dial they are for.</summary>
    public RefusedLegs RefusedLegs { get; } = new(time);

    public static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public PendingDial Add(AgentStream stream)
    {
        var dial = new PendingDial(stream, NewId());
        _byId[dial.ConnectionId] = dial;
        return dial;
    }

    public void Remove(PendingDial dial) => _byId.TryRemove(dial.ConnectionId, out _);

    /// <summary>Removes the dial of a leg.</summary>
    public bool TryTake(string connectionId, [NotNullWhen(true)] out PendingDial? dial) => _byId.TryRemove(connectionId, out dial);

    /// <summary>A leg has come to another port; <paramref name="start"/> is what it has sent.</summary>
    public void RefuseLeg(string problem, byte[] start)
    {
        if (LegPreamble.IdAt(start) is { } id && TryTake(id, out var dial))
        {
            dial.RefuseLeg(problem);
        }
    }

    /// <summary>Only the agent that was asked can fail a dial.</summary>
    public void Fail(AgentStream stream, string connectionId, string reason)
    {
        if (_byId.TryGetValue(connectionId, out var dial) && dial.Stream == stream)
        {
            Remove(dial);
            if (reason.StartsWith(LegPhase, StringComparison.Ordinal) && RefusedLegs.Last(stream.Remote.Address) is { } problem)
            {
                dial.RefuseLeg(problem);
            }
            else
            {
                dial.TryFail(reason);
            }
        }
    }
}
