using System.Net;
using Grpc.Core;
using Whip.Protocol;
using Whip.Protocol.Connect;
using Whip.Protocol.ControlStreams;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Bench.Fuzz;

/// <summary>An agent, a dialer, a client of the proxy and a visitor of the pages, each on a connection of its own.</summary>
internal sealed class HonestPeer : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    private readonly FuzzWhip _whip;
    private readonly TlsIdentity? _identity;
    private readonly RawDialer[] _dialers;
    private readonly string[] _pages;
    private readonly string _site;
    private readonly HttpClient _direct = new(NewHandler()) { Timeout = Limit };
    private readonly List<HttpClient> _throughProxies = [];

    /// <param name="whip">Started.</param>
    /// <param name="identity">Of all of them; null: plain.</param>
    /// <param name="targets">A service that checks, behind each agent.</param>
    /// <param name="site">A service that speaks HTTP.</param>
    public HonestPeer(FuzzWhip whip, TlsIdentity? identity, IReadOnlyList<DialTarget> targets, string site)
    {
        (_whip, _identity, _site) = (whip, identity, site);
        var proxy = whip.Proxy.Addresses["proxy"];
        _dialers =
        [
            .. targets.Select(target => new RawDialer(whip.Broker.Addresses["dial"], identity, new ConnectRequest(target))),
            new RawDialer(proxy, identity, new ConnectRequest(targets[0])),
        ];
        var health = whip.Programs.Select(program => $"http://{program.Addresses["metrics"]}/healthz");
        _pages = [.. health, $"http://{whip.Broker.Addresses["admin"]}/api/status"];
        if (identity is null)
        {
            AddProxy($"http://{proxy}");
        }

        if (whip.Socks is { } socks)
        {
            AddProxy($"socks5://{socks.Addresses["socks"]}");
            AddProxy($"socks5://{whip.SocksWithPassword!.Addresses["socks"]}", new NetworkCredential("whip", FuzzWhip.SocksPassword));
        }
    }

    /// <returns>Why one of them is not served; null if all are.</returns>
    public async Task<string?> TryAllAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (var dialer in _dialers)
            {
                (await dialer.AskAsync(Limit, cancellationToken)).Abort();
            }

            foreach (var page in _pages)
            {
                await _direct.GetStringAsync(new Uri(page), cancellationToken);
            }

            foreach (var client in _throughProxies)
            {
                await client.GetStringAsync(new Uri($"http://{_site}/"), cancellationToken);
            }

            await RegisterAsync(cancellationToken);
            return null;
        }
        catch (Exception error) when (
            error is DialFailedException or HttpRequestException or RpcException or InvalidOperationException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return $"does not serve an honest peer ({error.Message})";
        }
    }

    public void Dispose()
    {
        _direct.Dispose();
        _throughProxies.ForEach(client => client.Dispose());
    }

    private static SocketsHttpHandler NewHandler() => new() { PooledConnectionLifetime = TimeSpan.Zero, UseProxy = false };

    private void AddProxy(string address, ICredentials? credentials = null)
    {
        var handler = NewHandler();
        (handler.UseProxy, handler.Proxy) = (true, new WebProxy(address) { Credentials = credentials });
        _throughProxies.Add(new HttpClient(handler) { Timeout = Limit });
    }

    private async Task RegisterAsync(CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(Limit, TimeProvider.System, cancellationToken);
        var grpc = HostPort.Of(_whip.Broker.Addresses["grpc"]);
        using var connection = await ControlConnection.OpenAsync(grpc, grpc, _identity, TimeProvider.System, deadline.Token);
        using var call = connection.Client.Register(cancellationToken: deadline.Token);
        var register = new Register { Hostname = "honest", Domain = Certificates.Domain, Ports = { 1 }, AgentId = "honest" };
        await call.RequestStream.WriteAsync(new RequestStream { Register = register }, deadline.Token);
        if (!await call.ResponseStream.MoveNext(deadline.Token) || call.ResponseStream.Current.Registered is null)
        {
            throw new DialFailedException("the broker does not answer Register with Registered");
        }
    }
}
