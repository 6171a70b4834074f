using Whip.Bench.Local;
using Whip.Bench.Measuring;

namespace Whip.Bench.Registry;

/// <summary>What this set of packages cannot measure.</summary>
internal static class GrainMeasurement
{
    /// <exception cref="PartFailedException">Always.</exception>
    public static Task RunAsync(int clients, FigureWriter figures, CancellationToken cancellationToken) =>
        throw new PartFailedException("whip-bench", "this build has no Orleans: build with -p:WhipPackages=full", []);
}
