using Whip.Protocol.Messages;

namespace Whip.Agent.Checks;

/// <summary>What the broker of one control stream has been told. Owner: the stream's Register, then its watch.</summary>
internal sealed class ToldHealth(ServiceChecks checks, TimeProvider time)
{
    private readonly Dictionary<int, PortHealth> _told = [];

    /// <summary>Tells what has changed; what <paramref name="send"/> does not take is told the next time.</summary>
    public void Tell(Func<Health, bool> send)
    {
        foreach (var health in checks.Known)
        {
            if (!ReferenceEquals(_told.GetValueOrDefault(health.Check.Port), health) && send(health.ToMessage(time)))
            {
                _told[health.Check.Port] = health;
            }
        }
    }
}
