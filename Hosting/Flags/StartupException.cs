using System.Net.Sockets;
using Whip.Protocol.Names;

namespace Whip.Hosting.Flags;

/// <summary>
/// What the user must change before the program can serve; it ends with exit code 2 and <see cref="Exception.Message"/> as its one line.
/// </summary>
/// <param name="flag">As the user wrote it: <c>--grpc-listen</c>, <c>WHIP_GRPC_LISTEN</c> or <c>whip.json: grpc-listen</c>.</param>
/// <param name="value">The value at fault; null when the fault is that there is none.</param>
/// <param name="problem">What is wrong with it.</param>
/// <param name="hint">What to try, to be read after "try"; may be empty.</param>
internal sealed class StartupException(string flag, string? value, string problem, string hint) : Exception(Describe(flag, value, problem, hint))
{
    /// <summary>For a listener that could not bind <paramref name="address"/>, with raw sockets or through Kestrel.</summary>
    public static StartupException ForBind(string flag, string address, Exception error)
    {
        var cause = error;
        while (cause is not SocketException && cause.InnerException is { } inner)
        {
            cause = inner;
        }

        return (cause as SocketException)?.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => new(flag, address, "the address is in use", "another port, or port 0 for any free one"),
            SocketError.AddressNotAvailable => new(flag, address, "this machine has no such address", "127.0.0.1:PORT, or :PORT for all interfaces"),
            SocketError.AccessDenied => new(flag, address, "binding this port is not allowed", "a port above 1023"),
            SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain =>
                new(flag, address, "the host name is not known", "127.0.0.1:PORT, or :PORT for all interfaces"),
            _ => new(flag, address, cause.Message, ""),
        };
    }

    private static string Describe(string flag, string? value, string problem, string hint)
    {
        var given = value is null ? "" : $" \"{Printable.Clean(value)}\"";
        return Printable.Clean($"{flag}{given}: {problem}{(hint.Length == 0 ? "" : "; try ")}{hint}", maxLength: 1024);
    }
}
