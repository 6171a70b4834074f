using Whip.Client;
using Whip.Client.Forwarding;
using Whip.Hosting.Flags;
using Options = Whip.Cli.Forward.ForwardOptions;

namespace Whip.Cli.Forward;

/// <summary>The flags that <c>whip forward</c> and <c>whip socks</c> have in common.</summary>
internal abstract class ForwarderFlags : ProgramFlags
{
    private const string Part = $"{nameof(Options.Forwarder)}.";

    protected ForwarderFlags(string program, string description)
        : base(program, description, static () => new Options())
    {
    }

    protected void AddForwarder(string property, string unit, string help, string name, bool isSecret = false) =>
        Add($"{Part}{property}", unit, help, name, isSecret);

    protected void AddCommon(string anywhere)
    {
        const string Dialer = $"{nameof(Options.Dialer)}.";
        Add($"{Dialer}{nameof(WhipDialerOptions.Brokers)}", "HOST:PORT", "The dial fronts of the brokers.", "broker");
        Add($"{Dialer}{nameof(WhipDialerOptions.Keep)}", "", "Use a connection to a broker for one dial after the other; false makes one for each.", "keep");
        AddVia($"{Dialer}{nameof(WhipDialerOptions.Via)}.");
        AddForwarder(nameof(WhipForwarderOptions.Deadline), "DURATION", "How long each dial may take.", "deadline");
        AddForwarder(nameof(WhipForwarderOptions.Wait), "DURATION", "How long each dial waits for an agent to register the name, at most 60s.", "wait");
        AddForwarder(nameof(WhipForwarderOptions.ListenAnywhere), "", anywhere, "listen-anywhere");
        AddForwarder(
            nameof(WhipForwarderOptions.DrainTimeout), "DURATION", "How long connections may continue after SIGTERM before they are reset.", "drain-timeout");
    }
}

/// <summary>The flags of <c>whip forward</c>.</summary>
internal sealed class ForwardFlags : ForwarderFlags
{
    public ForwardFlags()
        : base("whip forward", "Listens at addresses of this machine, and joins each connection to a dial.")
    {
        AddPositional(
            nameof(Options.Forwards), "ADDRESS=HOST:PORT",
            "Where to listen, HOST:PORT, :PORT on 127.0.0.1 or unix:PATH, and the name and port to dial for whoever connects there.", "forward");
        AddCommon("Allow addresses that other machines can reach: whoever connects there dials with this program's certificate.");
    }
}

/// <summary>The flags of <c>whip socks</c>.</summary>
internal sealed class SocksFlags : ForwarderFlags
{
    public SocksFlags()
        : base("whip socks", "A SOCKS5 proxy whose hosts are registered names: clients must let it resolve them (socks5h).")
    {
        AddPositional(nameof(Options.Addresses), "ADDRESS", "Where to listen, HOST:PORT, :PORT on 127.0.0.1 or unix:PATH.", "socks");
        AddForwarder(nameof(WhipForwarderOptions.SocksUsername), "NAME", "The user name of a client, if there is a password.", "socks-username");
        AddForwarder(
            nameof(WhipForwarderOptions.SocksPassword), "TEXT", "The password of a client; better in WHIP_SOCKS_PASSWORD, since arguments show in ps.",
            "socks-password", isSecret: true);
        AddCommon("Allow addresses that other machines can reach; this needs a password, which SOCKS sends unencrypted.");
    }
}
