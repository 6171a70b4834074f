using Whip.Protocol.Connect;
using Whip.Protocol.Options;

namespace Whip.Client.Forwarding;

/// <summary>Who may use a <see cref="WhipForwarder"/>, and how it dials.</summary>
public sealed class WhipForwarderOptions : ICheckedOptions
{
    /// <summary>How long each dial may take; default 5 seconds. A <see cref="Wait"/> is added to it.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long each dial waits for an agent to register the name; default zero, at most 60 seconds.</summary>
    public TimeSpan Wait { get; set; }

    /// <summary>
    /// Whether to listen on addresses that other machines can reach; default false. Whoever can connect there dials with this program's certificate.
    /// </summary>
    public bool ListenAnywhere { get; set; }

    /// <summary>The user name of a SOCKS client, when there is a <see cref="SocksPassword"/>; default <c>whip</c>.</summary>
    public string SocksUsername { get; set; } = "whip";

    /// <summary>The password of a SOCKS client, at most 255 bytes; null, the default: none is asked for, and SOCKS listens on loopback only.</summary>
    public string? SocksPassword { get; set; }

    /// <summary>Connections at once, default 400; one more is reset. Each takes two or three open files.</summary>
    public int MaxConnections { get; set; } = 400;

    /// <summary>How long connections may continue after a stop, default 30 seconds; then they are reset.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    void ICheckedOptions.Check() => Check();

    /// <exception cref="WhipOptionException">The first option that cannot work.</exception>
    internal void Check()
    {
        OptionText.Positive(nameof(Deadline), Deadline);
        OptionText.Duration(nameof(Wait), Wait);
        OptionText.Require(
            Wait <= ConnectRequest.MaxWait, nameof(Wait), GoDuration.Format(Wait), "too long", $"at most {GoDuration.Format(ConnectRequest.MaxWait)}");
        OptionText.Duration(nameof(DrainTimeout), DrainTimeout);
        OptionText.Number(nameof(MaxConnections), $"{MaxConnections}", 1, int.MaxValue);
        OptionText.Require(SocksCredentials.AreValid(SocksUsername), nameof(SocksUsername), SocksUsername, "not 1 to 255 bytes", "whip");
        OptionText.Require(
            SocksPassword is null || SocksCredentials.AreValid(SocksPassword),
            nameof(SocksPassword), null, "not 1 to 255 bytes", "a password of 1 to 255 bytes");
    }
}
