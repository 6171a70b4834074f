using System.Text.RegularExpressions;
using Whip.Protocol.Names;

namespace Whip.Protocol.Options;

/// <summary>An option that must change before a part can start. <see cref="Exception.Message"/> is one line: what is wrong with it and what to try.</summary>
public sealed partial class WhipOptionException : ArgumentException
{
    private const int MaxLength = 1024;

    private readonly bool _isNamed;

    /// <param name="option">The property, such as <c>Tls.CertPath</c>; what only a command line has is named as the user writes it.</param>
    /// <param name="value">The value at fault; null when the value is missing, and for a secret.</param>
    /// <param name="problem">What is wrong with it. Other options stand in braces, here and in <paramref name="hint"/>: <c>{ExternalTcp}</c>.</param>
    /// <param name="hint">What to try, to be read after "try"; may be empty.</param>
    internal WhipOptionException(string option, string? value, string problem, string hint = "")
        : this(option, value, problem, hint, static name => name)
    {
    }

    private WhipOptionException(string option, string? value, string problem, string hint, Func<string, string> nameOf, bool isNamed = false)
        : base(Describe(option, value, problem, hint, nameOf))
    {
        _isNamed = isNamed;
        Option = option;
        Value = value;
        Problem = problem;
        Hint = hint;
    }

    /// <summary>The property of the options class, such as <c>GrpcListen</c> or <c>Tls.CertPath</c>.</summary>
    public string Option { get; }

    /// <summary>The value at fault; null when it is missing, and for a secret.</summary>
    public string? Value { get; }

    internal string Problem { get; }

    internal string Hint { get; }

    [GeneratedRegex(@"\{([A-Za-z.-]+)\}")]
    private static partial Regex OtherOption { get; }

    /// <summary>The same, with the names that the user gave the options; whoever named them first knew best.</summary>
    internal WhipOptionException Named(Func<string, string> nameOf) => _isNamed ? this : new(Option, Value, Problem, Hint, nameOf, isNamed: true);

    private static string Describe(string option, string? value, string problem, string hint, Func<string, string> nameOf)
    {
        var given = value is null ? "" : $" \"{Printable.Clean(value)}\"";
        var advice = OtherOption.Replace($"{problem}{(hint.Length == 0 ? "" : "; try ")}{hint}", match => nameOf(match.Groups[1].Value));
        return Printable.Clean($"{nameOf(option)}{given}: {advice}", MaxLength);
    }
}
