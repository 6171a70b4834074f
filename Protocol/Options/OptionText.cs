using System.Globalization;
using System.Net.Sockets;
using Whip.Protocol.Names;

namespace Whip.Protocol.Options;

/// <summary>Reads and checks the values of options, or throws the <see cref="WhipOptionException"/> that says what would do.</summary>
internal static class OptionText
{
    /// <summary>What the address of a Unix socket begins with.</summary>
    public const string UnixScheme = "unix:";

    // .NET timers end at 2^32 ms, some 1,193 hours.
    private static readonly TimeSpan MaxDuration = TimeSpan.FromHours(1000);

    public static void Require(bool isMet, string option, string? value, string problem, string hint)
    {
        if (!isMet)
        {
            throw new WhipOptionException(option, value, problem, hint);
        }
    }

    public static bool Switch(string option, string text) =>
        bool.TryParse(text, out var value) ? value : throw new WhipOptionException(option, text, "neither true nor false", "true or false");

    public static int Number(string option, string text, int min, int max) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max
            ? value
            : throw new WhipOptionException(option, text, "not a number in range", $"a number from {min} to {max}");

    public static string Choice(string option, string text, params string[] choices) =>
        choices.Contains(text) ? text : throw new WhipOptionException(option, text, "not one of the choices", string.Join(", ", choices));

    public static string File(string option, string path) =>
        System.IO.File.Exists(path) ? path : throw new WhipOptionException(option, path, "no such file", "the path of a file that exists");

    /// <inheritdoc cref="HostPort.TryParse"/>
    public static HostPort EndPoint(
        string option, string text, string example = "broker.example.com:50051", string? emptyHost = null, int? zeroPort = null) =>
        HostPort.TryParse(text, out var address, emptyHost, zeroPort) ? address : throw new WhipOptionException(option, text, "not a HOST:PORT", example);

    /// <summary>The path of <c>unix:PATH</c>; null: the text is another address.</summary>
    public static string? UnixPath(string text) => text.StartsWith(UnixScheme, StringComparison.Ordinal) ? text[UnixScheme.Length..] : null;

    /// <param name="option">The option.</param>
    /// <param name="text">What its user wrote.</param>
    /// <param name="path">The path in it.</param>
    public static UnixDomainSocketEndPoint UnixEndPoint(string option, string text, string path)
    {
        try
        {
            return new UnixDomainSocketEndPoint(path);
        }
        catch (ArgumentException)
        {
            throw new WhipOptionException(option, text, "the path of a Unix socket has 1 to 107 bytes", "a shorter path");
        }
    }

    /// <summary>A name to dial, and its port.</summary>
    public static DialTarget Target(string option, string text) =>
        DialTarget.TryParse(text, out var target, out var problem) ? target : throw new WhipOptionException(option, null, problem, "instance1.testdom:22");

    public static TimeSpan Duration(string option, string text, string example = "a number and a unit, such as 250ms, 5s, 1m30s or 720h") =>
        GoDuration.TryParse(text, out var value)
            ? Duration(option, value)
            : throw new WhipOptionException(option, text, "not a duration", example);

    public static TimeSpan Duration(string option, TimeSpan value) =>
        value < TimeSpan.Zero ? throw new WhipOptionException(option, $"{value}", "is negative", "30s")
        : value > MaxDuration ? throw new WhipOptionException(option, GoDuration.Format(value), "too long", $"at most {GoDuration.Format(MaxDuration)}")
        : value;

    /// <summary>A duration that must not be zero.</summary>
    public static TimeSpan Positive(string option, TimeSpan value) =>
        value == TimeSpan.Zero ? throw new WhipOptionException(option, GoDuration.Format(value), "must be longer than 0", "5s") : Duration(option, value);

    /// <summary>Of a list that is written with commas.</summary>
    public static string[] Split(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
