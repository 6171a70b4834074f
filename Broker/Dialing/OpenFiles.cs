using System.Globalization;

namespace Whip.Broker.Dialing;

/// <summary>The process's limit of open files, which .NET has raised to the hard limit before any of our code runs.</summary>
internal static class OpenFiles
{
    // Where /proc does not tell, a system's usual hard limit.
    private const int Usual = 4096;

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
}
