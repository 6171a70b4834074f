using System.Net;
using System.Net.Sockets;
using Whip.Protocol.Names;
using Whip.Protocol.Options;

namespace Whip.Hosting.Flags;

/// <summary>An address to listen on. An empty host is <c>:PORT</c>, and port 0 any free port.</summary>
internal sealed record ListenAddress(string Host, int Port)
{
    /// <summary>Whether it names all interfaces explicitly.</summary>
    public bool IsWildcard => IPAddress.TryParse(Host, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));

    /// <exception cref="WhipOptionException">The text is not an address.</exception>
    public static ListenAddress Parse(string option, string text)
    {
        var address = OptionText.EndPoint(option, text, "127.0.0.1:50051 or :50051", emptyHost: "", zeroPort: 0);
        return new ListenAddress(address.Host, address.Port);
    }

    /// <summary>Null for <c>off</c> or an empty text.</summary>
    /// <exception cref="WhipOptionException">The text is not an address.</exception>
    public static ListenAddress? ParseOrOff(string option, string text) => text is "" or "off" ? null : Parse(option, text);

    /// <summary>Whether only this machine can reach it.</summary>
    /// <exception cref="WhipOptionException">The text is not an address, or its host name is not known.</exception>
    public static bool IsLoopbackOrOff(string option, string text, bool loopbackOnly)
    {
        try
        {
            return ParseOrOff(option, text)?.Resolve(loopbackOnly) is not { } endPoint || IPAddress.IsLoopback(endPoint.Address);
        }
        catch (SocketException error)
        {
            throw BindFailure(option, text, error);
        }
    }

    /// <summary>Whether a raw socket or Kestrel could not bind an address because another socket has it.</summary>
    public static bool IsInUse(Exception error) => Cause(error) is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse };

    /// <summary>The error for an address that a raw socket or Kestrel could not bind.</summary>
    public static WhipOptionException BindFailure(string option, string address, Exception error)
    {
        var cause = Cause(error);
        return (cause as SocketException)?.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => new(option, address, "the address is in use", "another port, or port 0 for any free one"),
            SocketError.AddressNotAvailable => new(option, address, "this machine has no such address", "127.0.0.1:PORT, or :PORT for all interfaces"),
            SocketError.AccessDenied => new(option, address, "binding this port is not allowed", "a port above 1023"),
            SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain =>
                new(option, address, "the host name is not known", "127.0.0.1:PORT, or :PORT for all interfaces"),
            _ => new(option, address, cause.Message),
        };
    }

    /// <summary>
    /// The end point to bind. <c>:PORT</c> is the loopback interface if <paramref name="loopbackOnly"/>, else all interfaces as
    /// <see cref="IPAddress.IPv6Any"/>, to be bound in dual mode, or as <see cref="IPAddress.Any"/> on a machine without IPv6.
    /// </summary>
    /// <exception cref="SocketException">The host name is not known.</exception>
    public IPEndPoint Resolve(bool loopbackOnly)
    {
        if (Host.Length == 0)
        {
            var all = Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
            return new(loopbackOnly ? IPAddress.Loopback : all, Port);
        }

        if (!IPAddress.TryParse(Host, out var address))
        {
            var addresses = Dns.GetHostAddresses(Host);
            address = addresses.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork)
                ?? addresses.FirstOrDefault()
                ?? throw new SocketException((int)SocketError.HostNotFound);
        }

        return new(address, Port);
    }

    public override string ToString() => HostPort.Format(Host, Port);

    private static Exception Cause(Exception error)
    {
        while (error is not SocketException && error.InnerException is { } inner)
        {
            error = inner;
        }

        return error;
    }
}
