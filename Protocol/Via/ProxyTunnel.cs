using System.Net.Sockets;
using Whip.Protocol.Connect;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Protocol.Via;

/// <summary>
/// Connections to brokers, through a proxy where one leads there. SocketsHttpHandler, which speaks to proxies too, gives out no socket, and so no
/// end of one direction and no reset.
/// </summary>
internal static class ProxyTunnel
{
    private const int MaxProblem = 512;
    private const int HttpsPort = 443;

    /// <summary>Through a proxy the leg's addresses are those of the connection to the proxy. What the proxy sends behind its head is the broker's.</summary>
    /// <param name="connector">Reaches the broker, or the proxy.</param>
    /// <param name="via">Null: no proxy.</param>
    /// <param name="to">The broker; a proxy is asked for it as it is, a name by its name.</param>
    /// <param name="cancellationToken">Ends it; a proxy that is silent is waited for no longer.</param>
    /// <exception cref="SocketException">Nobody answers, without a proxy.</exception>
    /// <exception cref="ProxyException">The proxy has made no tunnel.</exception>
    public static async Task<Leg> ConnectAsync(Connector connector, HttpProxy? via, HostPort to, CancellationToken cancellationToken)
    {
        if (via is null)
        {
            return await connector.ConnectAsync(to, cancellationToken).ConfigureAwait(false);
        }

        var leg = await ReachAsync(connector, via, cancellationToken).ConfigureAwait(false);
        try
        {
            await AskAsync(leg, via, to, cancellationToken).ConfigureAwait(false);
            leg.Through = $"the proxy {via}";
            return leg;
        }
        catch (IOException error) when (error is not ProxyException)
        {
            leg.Abort();
            throw new ProxyException(ProxyFault.Unreachable, $"the proxy {via} broke the connection instead of an answer: {error.Message}", error);
        }
        catch
        {
            leg.Abort();
            throw;
        }
    }

    private static async Task<Leg> ReachAsync(Connector connector, HttpProxy via, CancellationToken cancellationToken)
    {
        try
        {
            return await connector.ConnectAsync(via.Address, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException error)
        {
            throw new ProxyException(ProxyFault.Unreachable, $"the proxy {via} cannot be reached: {error.Message}", error);
        }
    }

    private static async Task AskAsync(Leg leg, HttpProxy via, HostPort to, CancellationToken cancellationToken)
    {
        await leg.WriteAsync(via.ConnectHead(to), cancellationToken).ConfigureAwait(false);
        int status;
        HeadText head;
        do
        {
            var (read, _, problem) = await HeadReader.ReadAsync(
                leg, static buffer => HeadText.Parse(buffer, isForeign: true), cancellationToken: cancellationToken).ConfigureAwait(false);
            head = read ?? throw (problem is null
                ? new ProxyException(ProxyFault.Unreachable, $"the proxy {via} ended the connection without an answer")
                : NotOne(via, problem));
            if (!head.TryReadStatus(out status))
            {
                throw NotOne(via, "the status line is not HTTP/1.1");
            }
        }
        while (status is >= 100 and < 200);

        if (status is < 200 or > 299)
        {
            throw Refusal(via, to, status, head);
        }
    }

    private static ProxyException NotOne(HttpProxy via, string problem) =>
        new(ProxyFault.Failed, Clean($"what is at {via} does not answer as an HTTP proxy: {problem}"));

    private static ProxyException Refusal(HttpProxy via, HostPort to, int status, HeadText head)
    {
        var (fault, problem) = status switch
        {
            403 => (ProxyFault.Refused, $"allows no tunnel to {to} (403); {PortAdvice(to)}"),
            // tinyproxy says 401 of a password that is wrong, and 500 of a server that is away.
            401 or 407 => (ProxyFault.Refused, PasswordProblem(via, status, head)),
            405 or 501 => (ProxyFault.Refused, $"makes no tunnels ({status} to a CONNECT)"),
            500 or 502 or 503 or 504 => (ProxyFault.Failed, $"cannot reach {to} ({status}); its log says why"),
            _ => (ProxyFault.Failed, $"answered the CONNECT to {to} with {status}"),
        };
        return new ProxyException(fault, Clean($"the proxy {via} {problem}")) { Status = status };
    }

    private static string PortAdvice(HostPort to) => to.Port == HttpsPort
        ? "its rules must allow this host and this client"
        : $"most proxies allow port {HttpsPort} alone: let it allow port {to.Port} too (squid: SSL_ports and Safe_ports; tinyproxy: ConnectPort)"
            + $" if its rules allow this host, or lead port {HttpsPort} of the broker there";

    private static string PasswordProblem(HttpProxy via, int status, HeadText head)
    {
        var schemes = head.Values("Proxy-Authenticate").Select(value => value.Split(' ')[0]).Where(scheme => scheme.Length > 0).Distinct().ToArray();
        return schemes.Length > 0 && !schemes.Contains("Basic", StringComparer.OrdinalIgnoreCase)
                ? $"wants a user to authenticate by {string.Join(" or ", schemes)} ({status}), and Whip can do Basic only"
            : via.HasUser ? $"does not accept the user and password ({status})"
            : $"wants a user and a password ({status}): http://user:password@host:port";
    }

    private static string Clean(string problem) => Printable.Clean(problem, MaxProblem);
}
