namespace Whip.Protocol.Dialing;

/// <summary>Opens streams to registered names: over a broker's dial front, or inside the process that embeds the broker.</summary>
public interface IWhipDialer
{
    /// <summary>Dials once. Network failures are values of <see cref="DialResult.Outcome"/>, not exceptions.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled, which is passed on to the agent.</exception>
    ValueTask<DialResult> TryDialAsync(DialRequest request, CancellationToken cancellationToken = default);
}
