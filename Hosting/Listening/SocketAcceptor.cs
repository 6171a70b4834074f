using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Whip.Protocol;
using Whip.Protocol.Legs;

namespace Whip.Hosting.Listening;

/// <summary>
/// Binds one address and accepts the connections that the <see cref="DescriptorBudget"/> has room for. Neither a peer nor a shortage of descriptors
/// ends it, or lets it spin.
/// </summary>
internal sealed class SocketAcceptor : IDisposable
{
    // The kernel limits it to net.core.somaxconn. Many agents that reconnect at once fill a short queue.
    private const int Backlog = 4096;

    private const int MostInARow = 32;

    private static readonly TimeSpan ExhaustedPause = TimeSpan.FromMilliseconds(100);

    private readonly string _name;
    private readonly DescriptorBudget _descriptors;
    private readonly bool _bringsLegs;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly LogRation _full;
    private readonly LogRation _exhausted;
    private readonly LogRation _evicted;
    private readonly Socket _socket;
    private int _inARow;

    /// <param name="name">Of the listener, in logs and metrics.</param>
    /// <param name="address">To bind at once.</param>
    /// <param name="descriptors">Has the places.</param>
    /// <param name="bringsLegs">Whether the connections may be the legs that places are reserved for.</param>
    /// <param name="logger">Gets a line or two a minute.</param>
    /// <param name="time">The clock of the pauses.</param>
    /// <param name="asLegs">Whether the connections inherit the options of legs.</param>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public SocketAcceptor(
        string name, IPEndPoint address, DescriptorBudget descriptors, bool bringsLegs, ILogger logger, TimeProvider time, bool asLegs = false)
    {
        (_name, _descriptors, _bringsLegs, _logger, _time) = (name, descriptors, bringsLegs, logger, time);
        _full = new LogRation(1, count => ListeningLog.MoreFull(_logger, _name, count), time);
        _evicted = new LogRation(1, count => ListeningLog.MoreEvicted(_logger, _name, count), time);
        _exhausted = new LogRation(1, static _ => { }, time);
        _socket = Bind(address);
        try
        {
            if (asLegs)
            {
                LegSocketOptions.Apply(_socket);
            }

            _socket.Listen(Backlog);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        LocalEndPoint = (IPEndPoint)_socket.LocalEndPoint!;
    }

    public IPEndPoint LocalEndPoint { get; }

    /// <summary>A socket of the address that does not listen yet.</summary>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public static Socket Bind(IPEndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.Address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(address);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The next connection, which the caller closes, and then returns its place. Null: the acceptor was disposed.</summary>
    public async ValueTask<Socket?> AcceptAsync()
    {
        while (true)
        {
            try
            {
                var accepting = _socket.AcceptAsync();
                _inARow = accepting.IsCompleted ? _inARow + 1 : 0;
                var socket = await accepting;
                if (_inARow == MostInARow)
                {
                    // However many connect at once: the engine has others to watch.
                    _inARow = 0;
                    await EngineThread.Leave();
                }

                if (_bringsLegs ? _descriptors.TryTakeReserved() : _descriptors.TryTake())
                {
                    return socket;
                }

                Refuse(socket);
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.OperationAborted or SocketError.InvalidArgument)
            {
                return null;
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                if (_exhausted.Take())
                {
                    ListeningLog.OutOfDescriptors(_logger, _name, error.SocketErrorCode);
                }

                await Task.Delay(ExhaustedPause, _time);
            }
            catch (SocketException)
            {
                // The connection was reset while it waited in the backlog.
            }
        }
    }

    /// <summary>One that had not authenticated was closed for a newer one.</summary>
    public void LogEvicted(IPEndPoint remote)
    {
        if (_evicted.Take())
        {
            ListeningLog.Evicted(_logger, _name, remote);
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Refuse(Socket socket)
    {
        // A reset leaves nothing of the connection in the kernel.
        socket.Close(0);
        _descriptors.CountRefusal(_name);
        if (_full.Take())
        {
            ListeningLog.Full(_logger, _name, _descriptors.Size);
        }
    }
}
