using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Client;

/// <summary>Where a <see cref="WhipDialer"/> dials, and who it is.</summary>
public sealed class WhipDialerOptions
{
    /// <summary>The dial fronts, each <c>HOST:PORT</c>; at least one. The next one is tried when one cannot be reached.</summary>
    public IList<string> Brokers { get; set; } = [];

    /// <summary>This program's certificate, key and CA; mutual TLS is on unless <see cref="WhipTlsOptions.Enabled"/> is false.</summary>
    public WhipTlsOptions Tls { get; set; } = new();

    /// <summary>One line that says what is wrong and what to write instead; null when the options can be used.</summary>
    internal string? FindProblem()
    {
        if (Brokers.Count == 0)
        {
            return $"{nameof(Brokers)} is empty; name a broker's dial front, such as broker1.example:8010";
        }

        var bad = Brokers.FirstOrDefault(broker => !IsBroker(broker));
        return bad is null ? null : $"{nameof(Brokers)} has \"{Printable.Clean(bad)}\", which is not HOST:PORT; try broker1.example:8010";
    }

    internal static bool IsBroker(string text) => HostPort.TryParse(text, out var host, out var port) && host.Length > 0 && port > 0;
}
