using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Whip.Protocol.Names;

namespace Whip.Hosting.Flags;

/// <summary>Reads one text as a value of one kind, or throws the <see cref="StartupException"/> that says what would do.</summary>
internal static partial class FlagText
{
    // .NET timers end at 2^32 ms, some 1,193 hours.
    private static readonly TimeSpan MaxDuration = TimeSpan.FromHours(1000);

    [GeneratedRegex(@"^(?:0|(?:([0-9]+(?:\.[0-9]+)?)(ms|s|m|h))+)\z")]
    private static partial Regex DurationPattern { get; }

    public static bool Switch(string source, string text) =>
        bool.TryParse(text, out var value) ? value : throw new StartupException(source, text, "neither true nor false", "true or false");

    public static int Number(string source, string text, int min, int max) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max
            ? value
            : throw new StartupException(source, text, "not a number in range", $"a number from {min} to {max}");

    public static string Choice(string source, string text, IReadOnlyList<string> choices) =>
        choices.Contains(text) ? text : throw new StartupException(source, text, "not one of the choices", string.Join(", ", choices));

    public static string File(string source, string text) =>
        System.IO.File.Exists(text) ? text : throw new StartupException(source, text, "no such file", "the path of a file that exists");

    public static ListenAddress Listen(string source, string text) =>
        HostPort.TryParse(text, out var host, out var port) && (host.Length == 0 || IsHost(host))
            ? new ListenAddress(host, port)
            : throw new StartupException(source, text, "not a HOST:PORT", "127.0.0.1:50051 or :50051");

    public static string EndPoint(string source, string text) =>
        HostPort.TryParse(text, out var host, out var port) && port > 0 && IsHost(host)
            ? HostPort.Format(host, port)
            : throw new StartupException(source, text, "not a HOST:PORT", "broker.example.com:50051");

    /// <summary>As <see cref="EndPoint"/>, and <c>:PORT</c> is this machine.</summary>
    public static string EndPointOrLocal(string source, string text) => EndPoint(source, text.StartsWith(':') ? $"127.0.0.1{text}" : text);

    /// <summary>A number and a unit, as often as needed: <c>250ms</c>, <c>1m30s</c>, <c>1.5h</c>; <c>0</c> needs no unit.</summary>
    public static TimeSpan Duration(string source, string text)
    {
        var match = DurationPattern.Match(text);
        if (!match.Success)
        {
            throw new StartupException(source, text, "not a duration", "a number and a unit, such as 250ms, 5s, 1m30s or 720h");
        }

        var seconds = match.Groups[1].Captures.Zip(match.Groups[2].Captures, (number, unit) =>
            double.Parse(number.ValueSpan, CultureInfo.InvariantCulture) * SecondsPer(unit.Value)).Sum();
        return seconds <= MaxDuration.TotalSeconds
            ? TimeSpan.FromSeconds(seconds)
            : throw new StartupException(source, text, "too long", $"at most {Format(MaxDuration)}");
    }

    public static string Format(TimeSpan value) => value switch
    {
        { TotalMilliseconds: < 1000 and > 0 } => $"{value.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)}ms",
        _ when value.Ticks % TimeSpan.TicksPerHour == 0 && value > TimeSpan.Zero => $"{(long)value.TotalHours}h",
        _ when value.Ticks % TimeSpan.TicksPerMinute == 0 && value > TimeSpan.Zero => $"{(long)value.TotalMinutes}m",
        _ => $"{value.TotalSeconds.ToString(CultureInfo.InvariantCulture)}s",
    };

    private static double SecondsPer(string unit) => unit switch { "ms" => 0.001, "s" => 1, "m" => 60, _ => 3600 };

    private static bool IsHost(string host) => IPAddress.TryParse(host, out _) || DnsName.TryNormalize(host, out _);
}
