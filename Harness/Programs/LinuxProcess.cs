using System.Globalization;
using System.Runtime.InteropServices;

namespace Whip.Harness.Programs;

internal enum ProcessSignal
{
    Hangup = 1,
    Interrupt = 2,
    Quit = 3,
    Kill = 9,
    Terminate = 15,
    Continue = 18,
    Stop = 19,
}

/// <summary>Statistics of a process, and signals to it, by its id.</summary>
internal static class LinuxProcess
{
    // USER_HZ, what every Linux reports /proc times in.
    private const double TicksPerSecond = 100;

    /// <summary>Does nothing to a process that has just ended.</summary>
    public static void Send(int pid, ProcessSignal signal) => _ = SendSignal(pid, (int)signal);

    /// <summary>User and kernel time, in steps of 10 ms.</summary>
    public static TimeSpan ProcessorTime(int pid)
    {
        // Fields are numbered from 1, and the first here is the third.
        var fields = ReadStatus(pid) ?? throw new InvalidOperationException($"process {pid} has ended");
        return TimeSpan.FromSeconds((Number(fields[14 - 3]) + Number(fields[15 - 3])) / TicksPerSecond);
    }

    public static long ResidentKib(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/smaps_rollup").First(l => l.StartsWith("Rss:", StringComparison.Ordinal));
        return Number(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
    }

    public static int OpenFiles(int pid) => Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length;

    /// <summary>Whether it has ended, reaped or not.</summary>
    public static bool HasEnded(int pid) => ReadStatus(pid) is null or ["Z", ..];

    public static int[] ChildrenOf(int pid) =>
    [
        .. Directory.GetDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), out var child) ? child : 0)
            .Where(child => child > 0 && ReadStatus(child) is [_, var parent, ..] && parent == $"{pid}"),
    ];

    /// <summary>The fields of /proc/PID/stat behind the name, which may contain anything: state, parent and so on. Null if the process is gone.</summary>
    private static string[]? ReadStatus(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int pid, int signal);
}
