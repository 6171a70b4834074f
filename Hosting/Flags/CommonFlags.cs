using Whip.Protocol.Tls;

namespace Whip.Hosting.Flags;

/// <summary>The flags every program has.</summary>
internal sealed class CommonFlags(FlagSet flags, string metricsListen)
{
    public Flag<bool> Tls { get; } = flags.Switch(
        "tls", true, "Mutual TLS on every connection of Whip. When false, :PORT listens on the loopback interface only.");

    public Flag<string> TlsKeyPath { get; } = flags.Text("tls-key-path", "", "The private key, PEM.", "FILE");

    public Flag<string> TlsCertPath { get; } = flags.Text("tls-cert-path", "", "The certificate and its intermediates, PEM.", "FILE");

    public Flag<string> TlsCaCertPath { get; } = flags.Text("tls-ca-cert-path", "", "The CAs whose peers are accepted, PEM.", "FILE");

    public Flag<ListenAddress?> MetricsListen { get; } = flags.ListenOrOff("metrics-listen", metricsListen, "Where to serve /metrics, /healthz and /readyz.");

    public Flag<string> LogLevel { get; } = flags.Choice(
        "log-level", "info", "The least severe log records that are written.", "trace", "debug", "info", "warn", "error", "fatal");

    public Flag<string> LogFormat { get; } = flags.Choice("log-format", "text", "How log records are written to standard error.", "text", "json");

    public Flag<string> Config { get; } = flags.File("config", "A JSON file with values for the flags that are given nowhere else; its keys are their names.");

    public WhipTlsOptions TlsOptions(FlagValues values) => new()
    {
        Enabled = values.Get(Tls),
        KeyPath = NullIfEmpty(values.Get(TlsKeyPath)),
        CertPath = NullIfEmpty(values.Get(TlsCertPath)),
        CaCertPath = NullIfEmpty(values.Get(TlsCaCertPath)),
    };

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
