using System.Net.NetworkInformation;

namespace Whip.Bench.Local;

/// <summary>Ports for programs that keep theirs when they are started again.</summary>
internal static class FreePort
{
    /// <summary>Different ones, free, and none of those the kernel gives for port 0 while a program is down.</summary>
    public static int[] Find(int count)
    {
        var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(l => l.Port).ToHashSet();
        var ports = new HashSet<int>();
        while (ports.Count < count)
        {
            var port = Random.Shared.Next(20000, 32000);
            _ = !taken.Contains(port) && ports.Add(port);
        }

        return [.. ports];
    }
}
