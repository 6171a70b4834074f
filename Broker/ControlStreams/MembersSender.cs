using Whip.Grains.Members;
using Whip.Protocol.Messages;

namespace Whip.Broker.ControlStreams;

/// <summary>Sends agents the brokers of the cluster, from which they choose their homes: when they register and when the list changes.</summary>
internal sealed class MembersSender(string clusterId, LiveStreams streams)
{
    private volatile ResponseStream? _current;

    /// <summary>Follows the list until cancelled.</summary>
    public async Task RunAsync(MemberTable members, CancellationToken cancellationToken)
    {
        while (true)
        {
            var list = members.Members;
            Send(list);
            await members.WaitForChangeAsync(list, cancellationToken);
        }
    }

    /// <summary>Sends the list to a stream that has just been added.</summary>
    public void SendTo(AgentStream stream)
    {
        // Again if it has changed meanwhile: the last one sent must be the newest.
        ResponseStream? sent = null;
        while (stream.IsOurs && _current is { } message && !ReferenceEquals(message, sent) && stream.TrySend(message))
        {
            sent = message;
        }
    }

    // Draining and suspect brokers are included: the agents that are attached there learn of it from the broker itself, or from its silence.
    private void Send(IReadOnlyList<BrokerMember> members)
    {
        var list = new Members { ClusterId = clusterId };
        list.Members_.AddRange(members.Select(member =>
            new Member { BrokerId = member.Id, Grpc = $"{member.ExternalGrpc}", Tcp = $"{member.ExternalTcp}", Zone = member.Zone }));
        var message = new ResponseStream { Members = list };
        if (members.Count == 0 || message.Equals(_current))
        {
            return;
        }

        _current = message;
        foreach (var stream in streams.All)
        {
            SendTo(stream);
        }
    }
}
