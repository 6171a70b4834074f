using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Whip.Protocol.Legs;

namespace Whip.Tests.Proxy;

/// <summary>An upstream on loopback that does byte for byte what a test says, once per connection.</summary>
internal sealed class Service : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Leg> _legs = [];
    private readonly Func<Leg, Task> _serve;
    private readonly Task _accepting;

    private Service(Func<Leg, Task> serve)
    {
        _serve = serve;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndpoint;

    public int Connections => _legs.Count;

    /// <summary>The heads of all requests, as <see cref="ReadHeadAsync"/> saw them.</summary>
    public ConcurrentQueue<string> Heads { get; } = new();

    public static Service Start(Func<Leg, Task> serve) => new(serve);

    /// <summary>Answers each request without a body with the same bytes, for as long as the connection lasts.</summary>
    public static Service Answering(string answer)
    {
        Service? service = null;
        service = new Service(async leg =>
        {
            while (await service!.ReadHeadAsync(leg) is { Length: > 0 })
            {
                await leg.WriteAsync(Encoding.Latin1.GetBytes(answer));
            }
        });
        return service;
    }

    /// <summary>Up to the empty line; empty when the connection ended.</summary>
    public async Task<string> ReadHeadAsync(Leg leg)
    {
        var head = await Wire.ReadHeadAsync(leg);
        if (head.Length > 0)
        {
            Heads.Enqueue(head);
        }

        return head;
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        foreach (var leg in _legs)
        {
            leg.Abort();
        }

        await _accepting.WaitAsync(Patience.Long);
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                var leg = new Leg(await _listener.AcceptSocketAsync());
                _legs.Add(leg);
                serving.Add(ServeAsync(leg));
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Leg leg)
    {
        try
        {
            await _serve(leg);
            await leg.DisposeAsync();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or LegHandshakeException)
        {
            // The proxy or the end of the test was faster.
        }
    }
}
