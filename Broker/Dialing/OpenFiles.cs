using System.Globalization;

namespace Whip.Broker.Dialing;

/// <summary>The limit of open files of this process, which .NET raises to the hard limit at start.</summary>
internal static class OpenFiles
{
    // The usual hard limit, for systems without /proc.
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
