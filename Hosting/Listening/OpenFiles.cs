using System.Globalization;

namespace Whip.Hosting.Listening;

/// <summary>The open files of this process, as Linux counts them.</summary>
internal static class OpenFiles
{
    // The usual hard limit, for systems without /proc.
    private const int Usual = 4096;

    /// <summary>The soft limit, which .NET raises to the hard limit at start.</summary>
    public static int Limit()
    {
        try
        {
            var line = File.ReadLines("/proc/self/limits").FirstOrDefault(text => text.StartsWith("Max open files", StringComparison.Ordinal));
            var soft = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(3);
            return soft == "unlimited" ? int.MaxValue
                : long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? (int)Math.Min(limit, int.MaxValue)
                : Usual;
        }
        catch (IOException)
        {
            return Usual;
        }
    }

    /// <summary>How many are open; 0 if that cannot be read.</summary>
    public static int Count()
    {
        try
        {
            return Directory.EnumerateFileSystemEntries("/proc/self/fd").Count();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
