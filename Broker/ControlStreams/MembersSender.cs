using Whip.Grains.Members;
using Whip.Protocol.Messages;

namespace Whip.Broker.ControlStreams;

/// <summary>Tells agents which brokers they may choose their homes from: each when it registers, and all when that changes.</summary>
internal sealed class MembersSender(string clusterId, LiveStreams streams)
{
    private volatile ResponseStream? _current;

    /// <summary>Follows the list until cancelled.</summary>
    public async Task RunAsync(MemberTable members, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var list = members.Members;
                Send(list);
                await members.WaitForChangeAsync(list, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>To a stream that has just been added: the list it may have missed.</summary>
    public void Greet(AgentStream stream)
    {
        // Again if it changed meanwhile: the last one sent must be the newest.
        ResponseStream? sent = null;
        while (stream.IsOurs && _current is { } message && !ReferenceEquals(message, sent) && stream.TrySend(message))
        {
            sent = message;
        }
    }

    // Draining and suspect brokers stay in it: who is attached there is told by that broker itself, or finds out.
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
            Greet(stream);
        }
    }
}
