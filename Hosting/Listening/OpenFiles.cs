using System.Globalization;

namespace Whip.Hosting.Listening;

/// <summary>The open files of this process, as Linux counts them.</summary>
internal static class OpenFiles
{
    // The usual hard limit, for systems without /proc.
    private const int Usual = 4096;

    // The runtime keeps two open for each assembly.
    private const int FewestToStart = 128;

    /// <summary>
    /// For the first line of a program: ends it with 2 when the runtime could load neither what reads its flags nor what writes its log. With more,
    /// <see cref="DescriptorBudget.Require"/> decides.
    /// </summary>
    public static void RequireToStart(string program)
    {
        if (Limit() is < FewestToStart and var limit)
        {
            Console.Error.WriteLine(
                $"{program}: ulimit -n \"{limit}\": is too few open files to serve with; try at least {DescriptorBudget.Least}; two more for each relay");
            Environment.Exit(2);
        }
    }

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
