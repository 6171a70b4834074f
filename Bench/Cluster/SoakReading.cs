using System.Diagnostics;
using Whip.Bench.Cluster.Load;
using Whip.Harness.Cluster;

namespace Whip.Bench.Cluster;

/// <summary>What a broker and the agents hold while nothing is dialled.</summary>
/// <param name="Descriptors">Open ones of the broker.</param>
/// <param name="PendingDials">At the broker.</param>
/// <param name="Relays">At the broker.</param>
/// <param name="AgentBuffers">Rented by all agents of this process.</param>
internal sealed record SoakReading(int Descriptors, double PendingDials, double Relays, int AgentBuffers)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static async Task<SoakReading> TakeAsync(LocalBroker broker, LocalAgents agents, CancellationToken cancellationToken) => new(
        Directory.GetFiles($"/proc/{broker.Program.Id}/fd").Length,
        await broker.ReadMetricAsync("whip_broker_pending_dials", cancellationToken),
        await broker.ReadMetricAsync("whip_broker_relays", cancellationToken),
        agents.Registered.Sum(a => a.RentedBuffers + a.PendingConnects));

    /// <summary>The first one that is as <paramref name="before"/>, or the last one before the patience ended.</summary>
    public static async Task<SoakReading> SettledAsync(
        SoakReading before, LocalBroker broker, LocalAgents agents, TimeSpan patience, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var reading = await TakeAsync(broker, agents, cancellationToken);
            var isBack = reading.Descriptors <= before.Descriptors && reading is { PendingDials: 0, Relays: 0, AgentBuffers: 0 };
            if (isBack || Stopwatch.GetElapsedTime(started) > patience)
            {
                return reading;
            }

            await Task.Delay(Pause, cancellationToken);
        }
    }
}
