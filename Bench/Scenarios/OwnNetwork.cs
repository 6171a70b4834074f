using System.ComponentModel;
using System.Net.NetworkInformation;

namespace Whip.Bench.Scenarios;

/// <summary>
/// The network namespace that some scenarios need for themselves: they change it, or they would take gigabytes of the memory that the kernel has for all
/// connections, of which a connection over the loopback interface of 64 KiB packets takes megabytes.
/// </summary>
internal static class OwnNetwork
{
    private const int Mtu = 1500;

    /// <exception cref="PartFailedException">This process is not in a network namespace of its own.</exception>
    public static async Task RequireAsync(string scenario)
    {
        if (NetworkInterface.GetAllNetworkInterfaces().Any(IsInUse))
        {
            throw new PartFailedException(
                "whip-bench", $"{scenario} needs a network namespace of its own: unshare --map-root-user --net whip-bench chaos {scenario}", []);
        }

        await RunAsync("ip", "link", "set", "lo", "mtu", $"{Mtu}", "up");
    }

    /// <summary>Runs a command of iproute2 or util-linux that must succeed.</summary>
    public static async Task RunAsync(string program, params string[] args)
    {
        try
        {
            var (exitCode, text) = await ShellCommand.RunAsync("/", program, args);
            if (exitCode != 0)
            {
                throw new PartFailedException("whip-bench", $"{program} {string.Join(' ', args)}: {text.Trim()}", []);
            }
        }
        catch (Win32Exception error)
        {
            throw new PartFailedException("whip-bench", $"cannot run {program}: {error.Message}; apt-get install -y iproute2", [], error);
        }
    }

    // A new namespace has a loopback interface, and devices of tunnels that are down.
    private static bool IsInUse(NetworkInterface network) =>
        network is { OperationalStatus: not OperationalStatus.Down, NetworkInterfaceType: not NetworkInterfaceType.Loopback };
}
