namespace Whip.Grains.Silos;

/// <summary>
/// Before a silo gets a row, and before Orleans declares an older silo of the same address dead: checks whether another process answers with the id or
/// an address of this broker. One that does not answer has crashed, or is frozen and stops when it continues. One instance for each start.
/// </summary>
internal sealed class NewcomerCheck(MemberTable members, string clusterId, TimeProvider time)
{
    private const int Pings = 3;

    /// <summary>The silos of this broker that are active in the table and did not answer: those of a process that has crashed.</summary>
    public IReadOnlyList<SiloAddress> Predecessors { get; private set; } = [];

    /// <exception cref="MembershipRefusedException">Such a process has answered.</exception>
    public async Task RunAsync(SiloCalls silo, MembershipTableData table, CancellationToken cancellationToken)
    {
        var active = table.Members.Select(row => row.Item1).Where(row => row.Status == SiloStatus.Active && !row.SiloAddress.Equals(silo.Address)).ToList();
        var conflicts = await Task.WhenAll(active.Select(row => AskAsync(silo, row.SiloAddress, cancellationToken)));
        if (Array.Find(conflicts, conflict => conflict is not null) is { } conflict)
        {
            throw new MembershipRefusedException(conflict.Problem) { Conflict = conflict };
        }

        Predecessors = [.. active.Where(row => row.SiloName == members.Self().BrokerId).Select(row => row.SiloAddress)];
    }

    /// <summary>Asks more than once, because the connections of a silo that has just started may not be ready.</summary>
    private async Task<Conflict?> AskAsync(SiloCalls silo, SiloAddress other, CancellationToken cancellationToken)
    {
        for (var ping = 0; ping < Pings; ping++)
        {
            var pause = Task.Delay(SiloPings.Interval, time, cancellationToken);
            try
            {
                var self = members.Self() with { Silo = silo.Address };
                return Conflict.Between(self, await silo.Brokers.At(other).PingAsync(self).WaitAsync(SiloPings.Interval, time, cancellationToken), clusterId);
            }
            catch (Exception error) when (BrokerSilos.IsFailure(error))
            {
                await pause;
            }
        }

        return null;
    }
}
