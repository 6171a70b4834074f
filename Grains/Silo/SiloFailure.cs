namespace Whip.Grains.Silo;

/// <summary>How calls end when a silo is gone, late, stopping or being replaced.</summary>
internal static class SiloFailure
{
    public static bool IsExpected(Exception error) =>
        error is OrleansException or TimeoutException or OperationCanceledException or ObjectDisposedException;
}
