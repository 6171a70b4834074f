using System.Globalization;

namespace Whip.Bench.Local;

/// <summary>What Linux tells of a process.</summary>
internal static class ProcessReading
{
    // USER_HZ, what every Linux reports /proc times in.
    private const double TicksPerSecond = 100;

    /// <summary>User and kernel time, from /proc/PID/stat.</summary>
    public static TimeSpan ProcessorTime(int pid)
    {
        // The second field is a name that may hold anything; behind its last bracket the fields are numbered from 3.
        var text = File.ReadAllText($"/proc/{pid}/stat");
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromSeconds((Number(fields[14 - 3]) + Number(fields[15 - 3])) / TicksPerSecond);
    }

    /// <summary>Resident set size in KiB.</summary>
    public static long ResidentKib(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/smaps_rollup").First(l => l.StartsWith("Rss:", StringComparison.Ordinal));
        return Number(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
