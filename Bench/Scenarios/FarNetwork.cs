using System.Net;

namespace Whip.Bench.Scenarios;

/// <summary>
/// A network behind a router, each a network namespace. When the router forwards no more, both sides see the machines of the other vanish: nothing comes
/// back, not even an error.
/// </summary>
internal sealed class FarNetwork : IAsyncDisposable
{
    // A namespace lives as long as a process in it.
    private const string Keep = "echo kept; exec sleep 900";

    private const string NearLink = "ip link add whip0 type veth peer name whip1 netns";
    private const string NearUp = "ip address add 10.83.1.1/24 dev whip0 && ip link set whip0 up && ip route add 10.83.2.0/24 via 10.83.1.2";
    private const string FarLink = "ip link add whip2 type veth peer name whip3 netns";
    private const string FarUp =
        "ip link set lo up && ip address add 10.83.2.1/24 dev whip3 && ip link set whip3 up && ip route add default via 10.83.2.2";

    private const string RouterUp =
        "ip address add 10.83.1.2/24 dev whip1 && ip link set whip1 up && ip address add 10.83.2.2/24 dev whip2 && ip link set whip2 up";

    /// <summary>Of this process, as the far network sees it.</summary>
    public static readonly IPAddress Near = IPAddress.Parse("10.83.1.1");

    private readonly Process _router = StartKeeper();
    private readonly Process _far = StartKeeper();

    private FarNetwork()
    {
    }

    /// <summary>The command that runs a program there.</summary>
    public IReadOnlyList<string> Through => Enter(_far);

    /// <exception cref="PartFailedException">It is not allowed, or iproute2 is not installed.</exception>
    public static Task<FarNetwork> StartAsync() => Parts.StartAsync(new FarNetwork(), async network =>
    {
        await network._router.StandardOutput.ReadLineAsync();
        await network._far.StandardOutput.ReadLineAsync();
        await OwnNetwork.RunAsync("/bin/sh", "-c", $"{NearLink} {network._router.Id} && {NearUp}");
        await network.RouteAsync($"{FarLink} {network._far.Id} && {RouterUp} && echo 1 >/proc/sys/net/ipv4/ip_forward");
        await RunAsync(network._far, FarUp);
    });

    /// <summary>From now on the router drops what it gets.</summary>
    public Task VanishAsync() => RouteAsync("echo 0 >/proc/sys/net/ipv4/ip_forward");

    public async ValueTask DisposeAsync()
    {
        foreach (var keeper in new[] { _router, _far })
        {
            keeper.Kill();
            await keeper.WaitForExitAsync();
            keeper.Dispose();
        }
    }

    private Task RouteAsync(string script) => RunAsync(_router, script);

    private static Task RunAsync(Process network, string script)
    {
        string[] command = [.. Enter(network), "/bin/sh", "-c", script];
        return OwnNetwork.RunAsync(command[0], command[1..]);
    }

    private static string[] Enter(Process network) => ["nsenter", "--target", $"{network.Id}", "--net"];

    private static Process StartKeeper() =>
        Process.Start(new ProcessStartInfo("unshare", ["--net", "/bin/sh", "-c", Keep]) { RedirectStandardOutput = true })!;
}
