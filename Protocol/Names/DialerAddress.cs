using System.Net;

namespace Whip.Protocol.Names;

/// <summary>Where a dial came from, as the broker saw it that it arrived at: the dialer's address and the one that it had connected to.</summary>
internal sealed record DialerAddress(IPEndPoint Source, IPEndPoint Destination)
{
    /// <summary>Null: the two are not of one family, which no connection has.</summary>
    public static DialerAddress? Of(IPEndPoint source, IPEndPoint destination) =>
        source.AddressFamily == destination.AddressFamily ? new DialerAddress(source, destination) : null;

    /// <summary>Takes what <see cref="ToString"/> writes and nothing else.</summary>
    public static bool TryParse(string? text, out DialerAddress? address)
    {
        address = text?.Split(' ') is [var from, var to] && IPEndPoint.TryParse(from, out var source) && IPEndPoint.TryParse(to, out var destination)
            ? Of(source, destination)
            : null;
        address = address?.ToString() == text ? address : null;
        return address is not null;
    }

    /// <summary>Both, with a blank between.</summary>
    public override string ToString() => $"{Source} {Destination}";
}
