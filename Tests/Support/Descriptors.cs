using Whip.Hosting.Listening;

namespace Whip.Tests.Support;

internal static class Descriptors
{
    /// <summary>More than any test takes.</summary>
    public static DescriptorBudget Many => Of(1_000_000);

    /// <summary>A budget of a limit that knows of no descriptors but those it gives away.</summary>
    public static DescriptorBudget Of(int limit) => new(limit, static () => 0, TimeProvider.System);
}
