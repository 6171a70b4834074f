using System.Globalization;
using Whip.Protocol.Options;

namespace Whip.Agent;

/// <summary>A port that may be dialled, and where the agent connects for it. A number is a port that is listened on at the target host.</summary>
/// <param name="Port">What dialers name, 1 to 65535.</param>
/// <param name="Target">
/// Another port of the target host; <c>host:port</c>, with an IPv6 address in brackets; or <c>unix:PATH</c>. Null: the same port of the target host.
/// </param>
public sealed record PublishedPort(int Port, string? Target = null)
{
    internal const string Examples = "80, 80=8080, 80=10.0.0.7:8080 or 80=unix:/run/app.sock";

    /// <summary>The same port of the target host.</summary>
    public static implicit operator PublishedPort(int port) => FromInt32(port);

    /// <summary>The same port of the target host.</summary>
    public static PublishedPort FromInt32(int port) => new(port);

    /// <summary>As a flag has it.</summary>
    public override string ToString() => Target is null ? $"{Port}" : $"{Port}={Target}";

    /// <summary>Reads <c>PORT</c> or <c>PORT=TARGET</c>. The target is judged with the other options.</summary>
    /// <exception cref="WhipOptionException">It does not begin with a port.</exception>
    internal static PublishedPort Read(string option, string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? OptionText.Number(option, text, 1, 65535)
            : TryReadPort(text.AsSpan(0, equals), out var port) ? new PublishedPort(port, text[(equals + 1)..])
            : throw new WhipOptionException(option, text, "does not begin with a port from 1 to 65535", Examples);
    }

    internal static bool TryReadPort(ReadOnlySpan<char> text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is >= 1 and <= 65535;
}
