using System.Net;
using System.Net.Sockets;
using System.Text;
using Whip.Protocol;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Bench.Beside;

/// <summary>One haproxy, plain; or two with mutual TLS to the first and between them, as a broker and an agent have it.</summary>
internal static class HaproxySubject
{
    public const string Program = "haproxy";
    public const string Install = "sudo apt-get install -y haproxy";

    // Of the best configuration: whole records and pipes at a time. Its threads are as many as cores anyway.
    private const int BufferSize = 256 * 1024;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StartInterval = TimeSpan.FromMilliseconds(20);

    /// <exception cref="PartFailedException">It is not installed, or does not start.</exception>
    public static async Task<Subject> StartAsync(BesideParts parts, string name, bool isTls, bool isBest, CancellationToken cancellationToken)
    {
        var programs = new WhipProcesses(parts.ProgramFolder);
        var ports = FreePort.Find(isTls ? 2 : 1);
        var front = new IPEndPoint(IPAddress.Loopback, ports[0]);
        var tls = isTls ? Options(parts) : ("", "");
        string[] sockets = [.. ports.Select((_, i) => Path.Combine(programs.Folder, $"{i}.sock"))];
        return await Parts.StartAsync(
            new Subject(name, Dialing(front, isTls ? parts.Dialer : null), new (string, int)[ports.Length], CountAsync, programs)
            {
                TlsFront = isTls ? front : null,
            },
            async subject =>
            {
                foreach (var (i, port) in ports.Index())
                {
                    var isLast = i == ports.Length - 1;
                    var next = isLast ? $"{parts.ServicePort}" : $"{ports[i + 1]}{tls.Item2}";
                    var path = Path.Combine(programs.Folder, $"{i}.cfg");
                    await File.WriteAllTextAsync(path, Config(sockets[i], isBest, $"{port}{tls.Item1}", next), cancellationToken);
                    var started = programs.Start(name, ProgramFiles.Require(Program, Install), ["-db", "-f", path]);
                    subject.Processes[i] = (i == 0 ? "broker" : "agent", started.Id);
                    if (!await Polling.UntilAsync(() => IsUp(started, sockets[i]), StartTimeout, StartInterval, cancellationToken))
                    {
                        throw started.Failed($"not ready within {StartTimeout.TotalSeconds} s");
                    }
                }
            });

        async Task<HopCounts> CountAsync(CancellationToken counting)
        {
            var hops = await Task.WhenAll(sockets.Select(socket => ReadAsync(socket, counting)));
            return new HopCounts(Array.ConvertAll(hops, hop => hop.Sessions), isTls ? Array.ConvertAll(hops, hop => hop.Resumed) : []);
        }
    }

    private static Func<Deadline, Task<WhipStream>> Dialing(IPEndPoint front, TlsIdentity? identity) =>
        async deadline => await RawDialer.OpenAsync(front, identity, deadline);

    /// <summary>What the first or the second haproxy accepts with, and the first one connects to the second with.</summary>
    private static (string Bind, string Server) Options(BesideParts parts)
    {
        var files = parts.Tls.Broker();
        var pem = parts.WriteFile("broker.pem", File.ReadAllText(files.CertPath!) + "\n" + File.ReadAllText(files.KeyPath!));
        var same = $" ssl crt {pem} ca-file {files.CaCertPath} verify required ssl-min-ver TLSv1.3 ciphersuites {BesideParts.Suite}";
        return ($"{same} curves {BesideParts.Curve}", $"{same} sni str(localhost)");
    }

    private static string Config(string socket, bool isBest, string bind, string server) =>
        $"""
        global
            stats socket {socket} mode 600
            {(isBest ? $"tune.bufsize {BufferSize}" : "")}
            {(isBest ? $"nbthread {Environment.ProcessorCount}" : "")}
        defaults
            mode tcp
            timeout connect 5s
            timeout client 1h
            timeout server 1h
            {(isBest ? "option splice-auto" : "")}
        listen hop
            bind 127.0.0.1:{bind}
            server next 127.0.0.1:{server}

        """;

    private static bool IsUp(WhipProcess haproxy, string socket) =>
        haproxy.Ended.IsCompleted ? throw haproxy.Failed("has ended") : File.Exists(socket);

    /// <summary>The connections it has accepted, and how many of their handshakes resumed a session.</summary>
    private static async Task<(long Sessions, long Resumed)> ReadAsync(string path, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
        await socket.SendAsync("show stat\n"u8.ToArray(), cancellationToken);
        using var reader = new StreamReader(new NetworkStream(socket), Encoding.ASCII);
        var lines = (await reader.ReadToEndAsync(cancellationToken)).Split('\n');
        var columns = lines[0].Split(',');
        var front = lines.First(line => line.StartsWith("hop,FRONTEND,", StringComparison.Ordinal)).Split(',');
        return (Number("stot"), Number("ssl_reused_sess"));

        long Number(string column) => long.TryParse(front[Array.IndexOf(columns, column)], out var number) ? number : 0;
    }
}
