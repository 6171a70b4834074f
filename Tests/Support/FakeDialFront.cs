using System.Net;
using System.Net.Sockets;
using Whip.Protocol.Tls;

namespace Whip.Tests.Support;

/// <summary>A broker's dial front that does what the test scripts, one script run per connection.</summary>
internal sealed class FakeDialFront : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<Task> _connections = [];
    private readonly TlsIdentity? _identity;
    private readonly Func<FakeDialConnection, Task> _script;
    private readonly Task _accepting;
    private int _accepted;

    public FakeDialFront(bool tls, Func<FakeDialConnection, Task> script)
        : this(tls ? TestCertificates.Shared.BrokerIdentity : null, script)
    {
    }

    public FakeDialFront(TlsIdentity? identity, Func<FakeDialConnection, Task> script)
    {
        _identity = identity;
        _script = script;
        _listener.Start();
        Authority = $"localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _accepting = AcceptAsync();
    }

    /// <summary>Connects every dial, to a stream on which nothing is said.</summary>
    public static FakeDialFront Good(bool tls) => new(tls, async connection =>
    {
        await connection.EstablishAsync();
        await connection.WaitForEndAsync();
    });

    public static FakeDialFront Answering(bool tls, string answer) => new(tls, async connection =>
    {
        await connection.ReadHeadAsync();
        await connection.WriteAsync(answer);
        await connection.EndAsync();
        await connection.WaitForEndAsync();
    });

    /// <summary>Reads a request and says nothing; tells of both and whether the dialer ended cleanly.</summary>
    public static FakeDialFront Silent(bool tls, TaskCompletionSource asked, TaskCompletionSource<bool>? ended = null) => new(tls, async connection =>
    {
        await connection.ReadHeadAsync();
        asked.SetResult();
        var isClean = await connection.WaitForEndAsync();
        ended?.SetResult(isClean);
    });

    public string Authority { get; }

    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Ends when every script has; a script that failed for another reason than its peer's fails the test.</summary>
    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting.WaitAsync(Patience.Long);
        await Task.WhenAll(_connections).WaitAsync(Patience.Long);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync();

                // Before the script, whose first steps may end a dial: the test looks then.
                Interlocked.Increment(ref _accepted);
                _connections.Add(RunAsync(socket));
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task RunAsync(Socket socket)
    {
        using var connection = new FakeDialConnection(socket);
        try
        {
            if (await connection.TryAuthenticateAsync(_identity))
            {
                await _script(connection);
            }
        }
        catch (IOException)
        {
            // The dialer has reset the connection.
        }
    }
}
