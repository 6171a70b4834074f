using Whip.Protocol.Dialing;

namespace Whip.Client;

/// <summary>HTTP over dials: <c>http://instance1.testdom:5051/</c> and <c>https://</c> in a plain <see cref="HttpClient"/>.</summary>
public static class WhipHttp
{
    /// <summary>
    /// A handler that makes each connection by a dial to the host and port of the URL. It pools connections as usual, so requests to a
    /// domain stay with one instance for as long as a pooled connection lives, at most two minutes.
    /// </summary>
    /// <param name="dialer">Not disposed with the handler.</param>
    /// <param name="deadline">For each dial; default 5 seconds.</param>
    /// <param name="wait">How long each dial waits for an agent to register; default zero, at most 60 seconds.</param>
    /// <returns>A handler whose requests fail with an <see cref="HttpRequestException"/> around the <see cref="WhipDialException"/>.</returns>
    public static SocketsHttpHandler CreateHandler(IWhipDialer dialer, TimeSpan? deadline = null, TimeSpan wait = default)
    {
        ArgumentNullException.ThrowIfNull(dialer);
        return new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellationToken) =>
            {
                var request = new DialRequest(context.DnsEndPoint.Host, context.DnsEndPoint.Port) { Wait = wait };
                return await dialer.DialAsync(deadline is { } limit ? request with { Deadline = limit } : request, cancellationToken).ConfigureAwait(false);
            },

            // The names exist only at the brokers: a proxy from the environment cannot know them.
            UseProxy = false,

            // A pooled connection stays with the instance it was dialled to; after two minutes instances that came later get their share.
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        };
    }
}
