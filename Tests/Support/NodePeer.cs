using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Whip.Protocol.Tls;

namespace Whip.Tests.Support;

/// <summary>A script of the node folder: one line of JSON per event from it and per command to it.</summary>
internal sealed class NodePeer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly TempFolder _certificates;
    private readonly ConcurrentQueue<string> _errors = new();

    private NodePeer(Process process, TempFolder certificates)
    {
        _process = process;
        _certificates = certificates;
        process.ErrorDataReceived += (_, line) => _errors.Enqueue(line.Data ?? "");
        process.BeginErrorReadLine();
    }

    /// <summary>Where a server listens.</summary>
    public int Port { get; set; }

    public static async Task<NodePeer> StartAsync(string script, TlsIdentity? identity, params string[] arguments)
    {
        var folder = await NodeTools.RequireAsync("Support/node");
        var certificates = new TempFolder();
        string[] files = identity is null ? [] : Flags(TestCertificates.Shared.WriteFiles(certificates.FullName, "peer", identity));
        var start = new ProcessStartInfo(ProgramFiles.Find("node")!, [script, .. files, .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new NodePeer(Process.Start(start)!, certificates);
    }

    /// <summary>The next event, which has to be of this kind; the end of the messages may come before any other event.</summary>
    public async Task<JsonElement> ExpectAsync(string kind)
    {
        while (await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience.Long) is { } line)
        {
            var parsed = JsonSerializer.Deserialize<JsonElement>(line);
            var actual = parsed.GetProperty("event").GetString();
            if (actual == kind)
            {
                return parsed;
            }

            Assert.Equal("end", actual);
        }

        throw new InvalidOperationException($"the script ended: {string.Join('\n', _errors)}");
    }

    /// <summary>The next message of this kind; others before it are passed over.</summary>
    public async Task<JsonElement> ExpectMessageAsync(string kind)
    {
        while (await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience.Long) is { } line)
        {
            var parsed = JsonSerializer.Deserialize<JsonElement>(line);
            if (parsed.TryGetProperty("message", out var message) && message.TryGetProperty(kind, out var body))
            {
                return body;
            }
        }

        throw new InvalidOperationException($"the script ended: {string.Join('\n', _errors)}");
    }

    public async Task SendAsync(object command)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(command)).WaitAsync(Patience.Long);
        await _process.StandardInput.FlushAsync().WaitAsync(Patience.Long);
    }

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(Patience.Long);
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
        _certificates.Dispose();
    }

    private static string[] Flags(WhipTlsOptions tls) => ["--ca", tls.CaCertPath!, "--cert", tls.CertPath!, "--key", tls.KeyPath!];
}
