using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Protocol.Dialing;

/// <summary>Dials that give a stream or throw.</summary>
public static class WhipDialing
{
    /// <summary>Dials <paramref name="host"/>:<paramref name="port"/> with the default deadline of 5 seconds.</summary>
    /// <exception cref="WhipDialException">The dial failed; the exception has the outcome, the reason and the name.</exception>
    public static Task<WhipStream> DialAsync(this IWhipDialer dialer, string host, int port, CancellationToken cancellationToken = default) =>
        dialer.DialAsync(new DialRequest(host, port), cancellationToken);

    /// <summary>Dials as <paramref name="request"/> says.</summary>
    /// <exception cref="WhipDialException">The dial failed; the exception has the outcome, the reason and the name.</exception>
    public static async Task<WhipStream> DialAsync(this IWhipDialer dialer, DialRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dialer);
        ArgumentNullException.ThrowIfNull(request);
        var result = await dialer.TryDialAsync(request, cancellationToken).ConfigureAwait(false);
        return result.IsConnected
            ? result.Stream
            : throw new WhipDialException(HostPort.Format(request.Host, request.Port), result.Outcome, result.Reason);
    }
}
