using System.Net;
using System.Net.Sockets;

namespace Whip.Tests.Client;

/// <summary>Stands between a dialer and a broker. It can forget its connections, as a NAT does: nothing passes any more, and nobody is told.</summary>
internal sealed class ForgetfulNat : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<Task> _directions = [];
    private readonly List<Socket> _sockets = [];
    private readonly IPEndPoint _to;
    private readonly Task _accepting;
    private CancellationTokenSource _forgetting = new();

    public ForgetfulNat(IPEndPoint to)
    {
        _to = to;
        _listener.Start();
        Authority = $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _accepting = AcceptAsync();
    }

    public string Authority { get; }

    public int Accepted { get; private set; }

    /// <summary>Later connections pass.</summary>
    public void Forget() => Interlocked.Exchange(ref _forgetting, new CancellationTokenSource()).Cancel();

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting.WaitAsync(Patience.Long);
        Forget();
        await Task.WhenAll(_directions).WaitAsync(Patience.Long);
        _sockets.ForEach(socket => socket.Dispose());
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var near = await _listener.AcceptSocketAsync();
                var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
                _sockets.AddRange([near, far]);
                await far.ConnectAsync(_to);
                Accepted++;
                _directions.AddRange([PassAsync(near, far, _forgetting.Token), PassAsync(far, near, _forgetting.Token)]);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private static async Task PassAsync(Socket from, Socket to, CancellationToken forgotten)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, forgotten) is > 0 and var read)
            {
                await to.SendAsync(buffer.AsMemory(0, read), forgotten);
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            // Forgotten, or one of them is gone.
        }
    }
}
