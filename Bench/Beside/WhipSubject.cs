using Whip.Bench.Measuring;

namespace Whip.Bench.Beside;

/// <summary>A broker and an agent, dialled by the library.</summary>
internal static class WhipSubject
{
    private const string Admitted = "whip_broker_admitted_connections_total";

    // In the order in which a dial comes to them.
    private static readonly string[] Listeners = ["dial", "rendezvous"];

    // The agent's part of a dial that keeps nothing.
    private static readonly string[] FreshLegs = ["--keep=false"];

    /// <param name="parts">Shared.</param>
    /// <param name="name">Of the subject.</param>
    /// <param name="isTls">Mutual TLS at both hops.</param>
    /// <param name="isKept">Connections carry one dial after the other; else each carries one, at both hops.</param>
    /// <param name="environment">More variables of the programs.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="DialFailedException">A first dial failed.</exception>
    public static async Task<Subject> StartAsync(
        BesideParts parts, string name, bool isTls, bool isKept, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        var programs = new WhipProcesses(parts.ProgramFolder, parts.Environment.Concat(environment).ToDictionary());
        var whip = await Parts.StartAsync(
            new MeasuredWhip(programs, parts.ServicePort),
            started => started.StartAsync(isTls ? parts.Tls : parts.Plain, isKept ? [] : FreshLegs, cancellationToken));
        var dial = whip.Dialing(isKept ? MeasuredDialer.Kept : MeasuredDialer.Fresh);
        return new Subject(name, dial, [("broker", whip.Broker.Id), ("agent", whip.Agent.Id)], CountAsync, whip)
        {
            IsKept = isKept,
            TlsFront = isTls ? whip.Broker.Addresses["dial"] : null,
        };

        async Task<HopCounts> CountAsync(CancellationToken counting)
        {
            var page = await MetricsPage.ReadAsync(whip.Broker.Addresses["metrics"], counting);
            return new HopCounts(Array.ConvertAll(Listeners, listener => (long)page.Sum(Admitted, $"listener=\"{listener}\"")), []);
        }
    }
}
