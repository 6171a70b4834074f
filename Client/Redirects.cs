using Whip.Protocol;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Kept;
using Whip.Protocol.Names;
using Whip.Protocol.Via;

namespace Whip.Client;

/// <summary>Follows a broker's redirects, within limits: the broker that sent the first one can always serve the dial itself.</summary>
internal sealed class Redirects(WayOut via, TimeProvider time)
{
    private readonly MuteLocations _mute = new(time);

    /// <summary>The holder's answer; null when there was none, and the ingress must be asked again.</summary>
    /// <exception cref="OperationCanceledException">The caller of the dial cancelled it.</exception>
    public async Task<BrokerAnswer?> FollowAsync(ConnectRequest request, HostPort? location, DialConnections connections, Deadline dial)
    {
        for (var count = 1; count <= ConnectRequest.MaxRedirects; count++)
        {
            if (location is not { } holder || _mute.Contains(holder))
            {
                return null;
            }

            var redirected = request with { Redirected = count, AcceptsRedirect = count < ConnectRequest.MaxRedirects };
            var attempt = new DialAttempt(new KeptKey(holder, Via: via.To(holder)), connections, dial);
            var answer = await attempt.RunAsync(redirected, DialAttempt.SilenceTimeout, mayRepeat: true).ConfigureAwait(false);
            if (!answer.IsSound)
            {
                // A broker that answers, even if only that it cannot serve the dial, is asked again the next time.
                if (!answer.IsHeard || answer.Result.Outcome == DialOutcome.ProtocolError)
                {
                    _mute.Add(holder);
                }

                return dial.Token.IsCancellationRequested ? answer : null;
            }

            if (!answer.IsRedirect)
            {
                return answer;
            }

            location = answer.Location;
        }

        return null;
    }
}
