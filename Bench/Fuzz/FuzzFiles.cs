using System.Text;
using Whip.Agent;
using Whip.Broker;
using Whip.Hosting.Flags;
using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Protocol.Policy;
using Whip.Protocol.Tls;
using Whip.Proxy;

namespace Whip.Bench.Fuzz;

/// <summary>The parsers of policies, deny lists and configuration files, in this process: whatever they are given, they read or refuse it in words.</summary>
internal sealed class FuzzFiles : IDisposable
{
    public const string Name = "files";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);
    private static readonly ProgramFlags[] Programs = [new BrokerFlags(), new AgentFlags(), new ProxyFlags()];

    private static readonly IReadOnlyList<byte[]> Policies =
    [
        """[{ "dialer": "*.dialers", "name": "*.testdom", "ports": [22, 5051], "allow": true }, { "dialer": "*", "name": "a?", "allow": false }]"""u8.ToArray(),
        """[{"dialer":"spiffe://ops/*","name":"secret.testdom.","ports":null,"allow":true},/**/{"dialer":"10.0.0.1","name":"*","allow":true},]"""u8.ToArray(),
    ];

    private static readonly IReadOnlyList<byte[]> DenyLists =
    [
        "# gone\nmallory.dialers\n*.lab # all\n10.0.0.1\nwhip://whip/broker/b1\n"u8.ToArray(),
        "ab:CD:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:00A1\r\nabcdef0123456789:7f\r\n::1\r\n"u8.ToArray(),
    ];

    private static readonly IReadOnlyList<byte[]> Configs =
    [
        """{ "tls": false, "grpc-listen": ":50051", "dial-listen": "127.0.0.1:8010", "drain-timeout": "1m30s", "log-level": "debug" }"""u8.ToArray(),
        """{ "tls": false, "domain": "testdom", "ports": [5051, 22], "allow-dialer": ["*.a"], "homes": "all", "endpoint": ["localhost:1"], }"""u8.ToArray(),
        """{ "tls": false, "broker": ["localhost:8010"], "proxy-listen-port": 8008, "target": "http://a.lab/x", "fallback-allow": ["::/8"] }"""u8.ToArray(),
    ];

    private readonly string _path = Path.GetTempFileName();

    /// <returns>What went wrong; null if nothing did.</returns>
    public string? Try(Random random)
    {
        var started = Stopwatch.GetTimestamp();
        var kind = random.Next(3);
        var bytes = Mutation.Next(kind == 0 ? Policies : kind == 1 ? DenyLists : Configs, random);
        try
        {
            Read(kind, bytes, random);
        }
        catch (Exception error) when (error is FormatException or WhipOptionException)
        {
            if (error.Message.Any(c => c is < ' ' or > '~'))
            {
                return "a refusal is not printable";
            }
        }
        catch (Exception error)
        {
            return $"{error.GetType().Name} instead of a refusal";
        }

        return Stopwatch.GetElapsedTime(started) > Limit ? $"it took more than {Limit.TotalSeconds} s" : null;
    }

    public void Dispose() => File.Delete(_path);

    private void Read(int kind, byte[] bytes, Random random)
    {
        switch (kind)
        {
            case 0:
                DialPolicy.Parse(Encoding.UTF8.GetString(bytes)).Find(["alice.dialers", "spiffe://ops/a"], DialTarget.Of("secret.testdom", 22));
                break;
            case 1:
                _ = DenyList.Parse(Encoding.UTF8.GetString(bytes)).Count;
                break;
            default:
                File.WriteAllBytes(_path, bytes);
                Programs[random.Next(Programs.Length)].Parse(["--config", _path], static _ => null);
                break;
        }
    }
}
