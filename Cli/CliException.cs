namespace Whip.Cli;

/// <summary>A flag or file that cannot be used: one line on standard error and exit code 2.</summary>
internal sealed class CliException(string message) : Exception(message)
{
    public CliException(string flag, string value, string problem, string hint)
        : this($"{flag} \"{value}\": {problem}; try {hint}")
    {
    }
}
