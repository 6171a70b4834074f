using Whip.Protocol.Options;

namespace Whip.Hosting.Flags;

/// <summary>What every program that serves can be told of its logs and its metrics.</summary>
internal sealed class ProgramOptions
{
    public static readonly string[] LogLevels = ["trace", "debug", "info", "warn", "error", "fatal"];
    public static readonly string[] LogFormats = ["text", "json"];

    public string MetricsListen { get; set; } = "off";

    public string LogLevel { get; set; } = "info";

    public string LogFormat { get; set; } = "text";

    public string? Config { get; set; }

    /// <exception cref="WhipOptionException">The first option that cannot work.</exception>
    public void Check()
    {
        ListenAddress.ParseOrOff(nameof(MetricsListen), MetricsListen);
        OptionText.Choice(nameof(LogLevel), LogLevel, LogLevels);
        OptionText.Choice(nameof(LogFormat), LogFormat, LogFormats);
    }
}
