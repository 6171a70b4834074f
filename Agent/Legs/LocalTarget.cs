using System.Net.Sockets;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Options;

namespace Whip.Agent.Legs;

/// <summary>Where the agent connects for one published port: a TCP address, or a Unix socket of this machine.</summary>
internal sealed record LocalTarget
{
    private HostPort Tcp { get; init; }

    private UnixDomainSocketEndPoint? Unix { get; init; }

    /// <exception cref="WhipOptionException">The target is none.</exception>
    public static LocalTarget Of(string option, PublishedPort published, string targetHost)
    {
        if (published.Target is not { } text)
        {
            return new LocalTarget { Tcp = HostPort.Of(targetHost, published.Port) };
        }

        if (OptionText.UnixPath(text) is { } path)
        {
            return new LocalTarget { Unix = OptionText.UnixEndPoint(option, $"{published}", path) };
        }

        return PublishedPort.TryReadPort(text, out var port) ? new LocalTarget { Tcp = HostPort.Of(targetHost, port) }
            : HostPort.TryParse(text, out var address) ? new LocalTarget { Tcp = address }
            : throw new WhipOptionException(
                option, $"{published}", "what follows the = is neither a port, nor HOST:PORT, nor unix:PATH", PublishedPort.Examples);
    }

    /// <exception cref="SocketException">Nobody answers there.</exception>
    public Task<Leg> ConnectAsync(Connector connector, CancellationToken cancellationToken) =>
        Unix is null ? connector.ConnectAsync(Tcp, cancellationToken) : connector.ConnectAsync(Unix, cancellationToken);

    /// <inheritdoc cref="ErrorClass.Of(Exception)"/>
    public string? ClassOf(Exception error) =>
        Unix is not null && error is SocketException { SocketErrorCode: SocketError.AddressNotAvailable } ? "no such socket" : ErrorClass.Of(error);

    /// <summary>For this machine's own logs.</summary>
    public override string ToString() => Unix is null ? $"{Tcp}" : $"{OptionText.UnixScheme}{Unix}";
}
