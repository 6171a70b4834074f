using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Whip.Client.Forwarding;

/// <summary>One address of this machine, TCP or a Unix socket, and the loop that accepts there. A lack of descriptors does not end the loop.</summary>
[SuppressMessage("Design", "CA1001", Justification = "StopAsync ends the socket.")]
internal sealed class ForwardListener
{
    private const int Backlog = 512;
    private const int NoSuchDeviceOrAddress = 6;

    private static readonly TimeSpan ExhaustedPause = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket;
    private readonly string? _path;
    private readonly TimeProvider _time;
    private Task _accepting = Task.CompletedTask;

    /// <summary>Binds at once. The file of a Unix socket that nobody listens at is replaced; it is for this user only.</summary>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public ForwardListener(EndPoint address, TimeProvider time)
    {
        _time = time;
        _path = (address as UnixDomainSocketEndPoint)?.ToString();
        _socket = new Socket(address.AddressFamily, SocketType.Stream, _path is null ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            if (address is IPEndPoint { Address: var ip } && ip.Equals(IPAddress.IPv6Any))
            {
                _socket.DualMode = true;
            }

            if (_path is not null)
            {
                RemoveAbandoned(address, _path);
            }

            _socket.Bind(address);
            if (_path is not null && !OperatingSystem.IsWindows())
            {
                // Before it listens, so that nobody else can connect in between.
                File.SetUnixFileMode(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            _socket.Listen(Backlog);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    public EndPoint LocalEndPoint => _socket.LocalEndPoint!;

    /// <param name="accepted">Owns the socket. It must not wait.</param>
    public void Start(Action<Socket> accepted) => _accepting = AcceptAsync(accepted);

    /// <summary>Accepts nothing more.</summary>
    public async Task StopAsync()
    {
        _socket.Dispose();
        await _accepting.ConfigureAwait(false);
        if (_path is not null)
        {
            File.Delete(_path);
        }
    }

    private static void RemoveAbandoned(EndPoint address, string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(address);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused)
        {
            // A regular file refuses as well, and is not ours to delete.
            if (IsSocket(path))
            {
                File.Delete(path);
            }
        }
        catch (SocketException)
        {
            // The bind says what is wrong.
        }
    }

    // .NET tells no socket from another file, but Linux opens none. With both accesses a named pipe does not wait for its other end.
    private static bool IsSocket(string path)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return false;
        }
        catch (IOException error)
        {
            return error.HResult == NoSuchDeviceOrAddress;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    private async Task AcceptAsync(Action<Socket> accepted)
    {
        while (true)
        {
            try
            {
                accepted(await _socket.AcceptAsync().ConfigureAwait(false));
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.OperationAborted or SocketError.InvalidArgument)
            {
                return;
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                await Task.Delay(ExhaustedPause, _time).ConfigureAwait(false);
            }
            catch (SocketException)
            {
                // The connection was reset while it waited in the backlog.
            }
        }
    }
}
