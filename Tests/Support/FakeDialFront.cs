using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
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
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        Authority = $"localhost:{Port}";
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

    public int Port { get; }

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

/// <summary>One connection at a <see cref="FakeDialFront"/>, with the steps that scripts are made of.</summary>
internal sealed class FakeDialConnection(Socket socket) : IDisposable
{
    public const string Established = "HTTP/1.1 200 Connection established\r\n\r\n";

    public Socket Socket => socket;

    public Stream Stream { get; private set; } = new NetworkStream(socket, ownsSocket: true);

    public async Task<bool> TryAuthenticateAsync(TlsIdentity? identity)
    {
        if (identity is null)
        {
            return true;
        }

        var tls = new SslStream(Stream);
        Stream = tls;
        try
        {
            await tls.AuthenticateAsServerAsync(identity.ServerOptions(PeerRole.Client));
            return true;
        }
        catch (Exception error) when (error is AuthenticationException or IOException)
        {
            return false;
        }
    }

    /// <summary>Up to the empty line or the peer's end; of a TLS handshake the first byte only.</summary>
    public async Task<string> ReadHeadAsync()
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (head.ToString() is not ("\u0016" or [.., '\r', '\n', '\r', '\n']) && await Stream.ReadAsync(one) == 1)
        {
            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    public async Task WriteAsync(string text) => await Stream.WriteAsync(Encoding.Latin1.GetBytes(text));

    public async Task EstablishAsync()
    {
        await ReadHeadAsync();
        await WriteAsync(Established);
    }

    /// <summary>Sends back what comes until the peer's end of stream, then ends too.</summary>
    public async Task EchoAsync()
    {
        await Stream.CopyToAsync(Stream);
        await EndAsync();
    }

    /// <summary>Ends our direction cleanly.</summary>
    public async Task EndAsync()
    {
        if (Stream is SslStream tls)
        {
            await tls.ShutdownAsync();
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Ends when the peer has: true for an end of stream, false for a reset.</summary>
    public async Task<bool> WaitForEndAsync()
    {
        try
        {
            var buffer = new byte[1024];
            while (await Stream.ReadAsync(buffer) > 0)
            {
            }

            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    public void Dispose() => Stream.Dispose();
}

/// <summary>A dial front that answers each head as the test says, and keeps it.</summary>
internal sealed class RedirectingFront : IAsyncDisposable
{
    public const string Established = FakeDialConnection.Established;

    public RedirectingFront(bool tls, Func<string, string> answer) => Front = new FakeDialFront(tls, async connection =>
    {
        var head = await connection.ReadHeadAsync();
        Heads.Enqueue(head);
        await connection.WriteAsync(answer(head));
        await connection.EndAsync();
        await connection.WaitForEndAsync();
    });

    public FakeDialFront Front { get; }

    public string Authority => Front.Authority;

    public ConcurrentQueue<string> Heads { get; } = [];

    /// <summary>A redirect; null leaves its location away.</summary>
    public static string To(string? location) =>
        $"HTTP/1.1 307 x\r\nWhip-Outcome: redirected\r\n{(location is null ? "" : $"Whip-Location: {location}\r\n")}\r\n";

    public ValueTask DisposeAsync() => Front.DisposeAsync();
}
