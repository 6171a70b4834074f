using System.Globalization;
using System.Net;
using Whip.Protocol.Legs;

namespace Whip.Tests.Hosting.Programs;

/// <summary>Which threads of the built broker do what.</summary>
public sealed class EngineTests
{
    private const string Engines = ".NET Sockets";
    private const string Pool = ".NET TP Worker";

    [Fact]
    public async Task There_is_an_engine_for_each_core_and_handshakes_run_in_the_pool()
    {
        using var folder = new TempFolder();
        var tls = TestCertificates.Shared.WriteFiles(folder.FullName);
        string[] listen = ["--grpc-listen=127.0.0.1:0", "--tcp-listen=127.0.0.1:0", "--dial-listen=127.0.0.1:0", "--metrics-listen=", "--admin-listen="];
        await using var broker = await WhipProcess.StartReadyAsync("whip-broker", [.. listen, .. Certificates.Flags(tls)]);

        // What the threads run is compiled by then.
        await HandshakeAsync(broker.Addresses["dial"], 100);
        var before = Threads(broker.Id);
        Assert.Equal(Environment.ProcessorCount, before.Count(thread => thread.Value.Name == Engines));
        await HandshakeAsync(broker.Addresses["dial"], 200);
        var after = Threads(broker.Id);
        Assert.InRange(Spent(Engines), 1, Spent(Pool) / 2);

        long Spent(string name) =>
            after.Where(thread => thread.Value.Name == name).Sum(thread =>
                thread.Value.Spent - (before.TryGetValue(thread.Key, out var then) ? then.Spent : 0));
    }

    private static async Task HandshakeAsync(IPEndPoint front, int count)
    {
        var identity = TestCertificates.Shared.ClientIdentity("a.testdom");
        for (var i = 0; i < count; i++)
        {
            await using var leg = await Leg.ConnectAsync(front, default).WaitAsync(Patience.Long);
            await leg.AuthenticateAsClientAsync(identity, "127.0.0.1", default).WaitAsync(Patience.Long);
            leg.Abort();
        }
    }

    /// <summary>The threads of a process, and the nanoseconds that each has run.</summary>
    private static Dictionary<string, (string Name, long Spent)> Threads(int pid)
    {
        var threads = new Dictionary<string, (string, long)>();
        foreach (var folder in Directory.GetDirectories($"/proc/{pid}/task"))
        {
            try
            {
                var spent = long.Parse(File.ReadAllText($"{folder}/schedstat").Split(' ')[0], CultureInfo.InvariantCulture);
                threads[folder] = (File.ReadAllText($"{folder}/comm").Trim(), spent);
            }
            catch (IOException)
            {
                // It has ended meanwhile.
            }
        }

        return threads;
    }
}
