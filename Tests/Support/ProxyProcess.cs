using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Whip.Tests.Support;

/// <summary>A program that listens at a port, until disposed.</summary>
internal sealed class ProxyProcess(Process process, Task<string> errors) : IAsyncDisposable
{
    public static async Task<ProxyProcess> StartAsync(int port, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(ProgramFiles.Find(program)!, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        var process = Process.Start(start)!;
        var proxy = new ProxyProcess(process, process.StandardError.ReadToEndAsync());
        _ = process.StandardOutput.ReadToEndAsync();
        await Patience.UntilAsync(() => proxy.AnswersAsync(port), $"{program} at its port");
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }

        await process.WaitForExitAsync().WaitAsync(Patience.Long);
        process.Dispose();
    }

    private async Task<bool> AnswersAsync(int port)
    {
        Assert.False(process.HasExited, process.HasExited ? await errors : "");
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
