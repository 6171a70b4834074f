using Whip.Hosting.Programs;
using Whip.Protocol.Options;

namespace Whip.Hosting.Flags;

/// <summary>The options for logs and metrics, which every program that serves has.</summary>
internal sealed class ProgramOptions
{
    public string MetricsListen { get; set; } = "off";

    public string LogLevel { get; set; } = "info";

    public string LogFormat { get; set; } = "text";

    /// <exception cref="WhipOptionException">The first option that cannot work.</exception>
    public void Check()
    {
        ListenAddress.ParseOrOff(nameof(MetricsListen), MetricsListen);
        OptionText.Choice(nameof(LogLevel), LogLevel, LineFormatter.Levels);
        OptionText.Choice(nameof(LogFormat), LogFormat, LineFormatter.Text, LineFormatter.Json);
    }
}
