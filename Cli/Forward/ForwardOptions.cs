using System.Net;
using Whip.Client;
using Whip.Client.Forwarding;
using Whip.Hosting.Flags;
using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;

namespace Whip.Cli.Forward;

/// <summary>The options of <c>whip forward</c> and <c>whip socks</c>: one of the two lists is empty.</summary>
internal sealed class ForwardOptions : ICheckedOptions
{
    /// <summary>Each <c>ADDRESS=HOST:PORT</c>.</summary>
    public IList<string> Forwards { get; } = [];

    /// <summary>Where SOCKS5 is served.</summary>
    public IList<string> Addresses { get; } = [];

    public WhipDialerOptions Dialer { get; } = new();

    public WhipForwarderOptions Forwarder { get; } = new();

    public WhipTlsOptions Tls => Dialer.Tls;

    public WhipViaOptions Via => Dialer.Via;

    /// <summary>What to listen at, and what to dial for whoever connects there; no target: SOCKS.</summary>
    public IEnumerable<Way> Ways => [.. Forwards.Select(ParseForward), .. Addresses.Select(text => new Way(nameof(Addresses), text, text, null))];

    public void Check()
    {
        OptionText.Require(Ways.Any(), nameof(Forwards), null, "required", "127.0.0.1:5432=db1.testdom:5432");
        foreach (var way in Ways)
        {
            _ = way.UnixPath ?? (object)ListenAddress.Parse(way.Option, way.Address);
        }

        ((ICheckedOptions)Dialer).Check();
        ((ICheckedOptions)Forwarder).Check();
    }

    private static Way ParseForward(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        OptionText.Require(equals > 0, nameof(Forwards), text, "not ADDRESS=HOST:PORT", "127.0.0.1:5432=db1.testdom:5432");
        return new Way(nameof(Forwards), text, text[..equals], OptionText.Target(nameof(Forwards), text[(equals + 1)..]));
    }

    /// <summary>One address to listen at.</summary>
    /// <param name="Option">The option that names it.</param>
    /// <param name="Text">What the user wrote.</param>
    /// <param name="Address">A TCP address, or <c>unix:PATH</c>.</param>
    /// <param name="Target">Null: SOCKS.</param>
    internal sealed record Way(string Option, string Text, string Address, DialTarget? Target)
    {
        public string? UnixPath => OptionText.UnixPath(Address);

        /// <exception cref="WhipOptionException">The path is too long.</exception>
        public EndPoint UnixEndPoint(string path) => OptionText.UnixEndPoint(Option, Text, path);
    }
}
