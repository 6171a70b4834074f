using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Tls;

namespace Whip.Agent.ControlStreams;

/// <summary>
/// The two certificates that a control stream stands on. When ours has been renewed the stream is due to be replaced, before the old one ends; when
/// the broker's is about to end, it is as well, since the broker may have a new one.
/// </summary>
internal sealed class LeafLife(TlsIdentity? identity, TimeProvider time)
{
    /// <summary>Agents that read a new certificate at the same time do not all register again at once.</summary>
    private static readonly TimeSpan Spread = TimeSpan.FromSeconds(10);

    private readonly X509Certificate2? _own = identity?.Certificate;
    private readonly TaskCompletionSource _renewalDue = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile PeerIdentity? _peer;
    private DateTimeOffset? _renewAt;

    public Task RenewalDue => _renewalDue.Task;

    public void PeerIs(PeerIdentity? peer) => _peer = peer;

    /// <summary>Called every second. Returns why the stream must end, or null.</summary>
    public string? Look()
    {
        var now = time.GetUtcNow();
        if (identity is null || _peer is not { } peer)
        {
            return null;
        }

        if (peer.NotAfter <= now)
        {
            return $"the broker's certificate ({peer}) expired on {peer.NotAfter:u}";
        }

        if (identity.Denied?.Matches(peer) == true)
        {
            return $"the broker's certificate ({peer}) is on the agent's deny list";
        }

        var left = (peer.NotAfter < _own!.NotAfter ? peer.NotAfter : _own.NotAfter) - now;
        if (!ReferenceEquals(identity.Certificate, _own) || peer.NotAfter - now < Spread)
        {
            _renewAt ??= now + (Random.Shared.NextDouble() * (left / 2 < Spread ? left / 2 : Spread));
        }

        if (_renewAt <= now)
        {
            _renewalDue.TrySetResult();
        }

        return null;
    }
}
