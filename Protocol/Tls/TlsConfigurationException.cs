namespace Whip.Protocol.Tls;

/// <summary>A certificate, key or CA file that cannot be used: which flag named it, what is wrong with it and what to try.</summary>
public sealed class TlsConfigurationException : Exception
{
    internal TlsConfigurationException(string flag, string value, string problem, string hint)
        : base($"{flag} \"{value}\": {problem}; try {hint}")
    {
        Flag = flag;
        Value = value;
        Problem = problem;
        Hint = hint;
    }

    /// <summary>The flag, such as <c>--tls-cert-path</c>.</summary>
    public string Flag { get; }

    /// <summary>The path the flag was given; empty when it was not given.</summary>
    public string Value { get; }

    /// <summary>What is wrong, in a few words.</summary>
    public string Problem { get; }

    /// <summary>What to try.</summary>
    public string Hint { get; }
}
