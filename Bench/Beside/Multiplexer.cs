using System.Net;
using Whip.Protocol;
using Whip.Protocol.Legs;

namespace Whip.Bench.Beside;

/// <summary>Tunnels that carry all their streams in one connection with mutual TLS, if one is installed. Their dialers speak plain.</summary>
internal static class Multiplexer
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StartInterval = TimeSpan.FromMilliseconds(50);

    public static string[] Names { get; } = ["frp", "chisel"];

    public static bool IsHere(string name) => ProgramFiles.Find(name == "frp" ? "frps" : name) is not null;

    /// <exception cref="PartFailedException">It does not start.</exception>
    public static async Task<Subject> StartAsync(BesideParts parts, string name, CancellationToken cancellationToken)
    {
        var programs = new WhipProcesses(parts.ProgramFolder);
        var ports = FreePort.Find(2);
        var front = new IPEndPoint(IPAddress.Loopback, ports[1]);
        Func<Deadline, Task<WhipStream>> dial = async deadline => await RawDialer.OpenAsync(front, identity: null, deadline);
        var subject = new Subject(name, dial, new (string, int)[2], static _ => Task.FromResult(HopCounts.None), programs);
        return await Parts.StartAsync(subject, async _ =>
        {
            var commands = name == "frp" ? Frp(parts, programs.Folder, ports) : Chisel(parts, ports);
            foreach (var (i, (program, args)) in commands.Index())
            {
                var started = programs.Start(program, ProgramFiles.Require(program, $"the release of {name}"), args);
                subject.Processes[i] = (i == 0 ? "broker" : "agent", started.Id);
            }

            if (!await Polling.UntilAsync(IsUpAsync, StartTimeout, StartInterval, cancellationToken))
            {
                throw new PartFailedException(name, $"no stream goes through it within {StartTimeout.TotalSeconds} s", []);
            }
        });

        async Task<bool> IsUpAsync()
        {
            using var deadline = new Deadline(StartTimeout, TimeProvider.System, cancellationToken);
            try
            {
                await using var stream = await subject.DialAsync(deadline);
                await Subject.ExchangeAsync(stream, deadline.Token);
                return true;
            }
            catch (Exception error) when (error is DialFailedException or IOException)
            {
                return false;
            }
        }
    }

    private static (string Program, string[] Args)[] Chisel(BesideParts parts, int[] ports)
    {
        var (server, client) = (parts.Tls.Broker(), parts.Tls.Client($"*.{Certificates.Domain}"));
        string[] serverTls = ["--tls-cert", server.CertPath!, "--tls-key", server.KeyPath!, "--tls-ca", server.CaCertPath!];
        string[] clientTls = ["--tls-cert", client.CertPath!, "--tls-key", client.KeyPath!, "--tls-ca", client.CaCertPath!];
        return
        [
            ("chisel", ["server", "--host", "127.0.0.1", "--port", $"{ports[0]}", "--reverse", .. serverTls]),
            ("chisel", ["client", .. clientTls, $"https://localhost:{ports[0]}", $"R:127.0.0.1:{ports[1]}:127.0.0.1:{parts.ServicePort}"]),
        ];
    }

    private static (string Program, string[] Args)[] Frp(BesideParts parts, string folder, int[] ports)
    {
        var (server, client) = (parts.Tls.Broker(), parts.Tls.Client($"*.{Certificates.Domain}"));
        var (serverFile, clientFile) = (Path.Combine(folder, "frps.toml"), Path.Combine(folder, "frpc.toml"));
        File.WriteAllText(
            serverFile,
            $"""
            bindAddr = "127.0.0.1"
            bindPort = {ports[0]}
            transport.tls.force = true
            transport.tls.certFile = "{server.CertPath}"
            transport.tls.keyFile = "{server.KeyPath}"
            transport.tls.trustedCaFile = "{server.CaCertPath}"

            """);
        File.WriteAllText(
            clientFile,
            $"""
            serverAddr = "127.0.0.1"
            serverPort = {ports[0]}
            loginFailExit = false
            transport.tls.serverName = "localhost"
            transport.tls.certFile = "{client.CertPath}"
            transport.tls.keyFile = "{client.KeyPath}"
            transport.tls.trustedCaFile = "{client.CaCertPath}"
            [[proxies]]
            name = "service"
            type = "tcp"
            localIP = "127.0.0.1"
            localPort = {parts.ServicePort}
            remotePort = {ports[1]}

            """);
        return [("frps", ["-c", serverFile]), ("frpc", ["-c", clientFile])];
    }
}
