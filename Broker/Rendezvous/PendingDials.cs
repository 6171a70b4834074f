using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Whip.Broker.ControlStreams;

namespace Whip.Broker.Rendezvous;

/// <summary>
/// The dials that wait for a leg, by connection id: 128 random bits that are used once. An entry is added before its Connect is sent, and whoever
/// removes it ends the dial.
/// </summary>
internal sealed class PendingDials
{
    private readonly ConcurrentDictionary<string, PendingDial> _byId = new();

    public int Count => _byId.Count;

    public PendingDial Add(AgentStream stream)
    {
        var dial = new PendingDial(stream, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        _byId[dial.ConnectionId] = dial;
        return dial;
    }

    public void Remove(PendingDial dial) => _byId.TryRemove(dial.ConnectionId, out _);

    /// <summary>Removes the dial of a leg.</summary>
    public bool TryTake(string connectionId, [NotNullWhen(true)] out PendingDial? dial) => _byId.TryRemove(connectionId, out dial);

    /// <summary>Only the agent that was asked can fail a dial.</summary>
    public void Fail(AgentStream stream, string connectionId, string reason)
    {
        if (_byId.TryGetValue(connectionId, out var dial) && dial.Stream == stream)
        {
            Remove(dial);
            dial.TryFail(reason);
        }
    }
}
