using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Whip.Tests.Support;

/// <summary>A program of the machine that listens at a port, until disposed.</summary>
internal sealed class ListeningProgram(Process process, int port, Task<string> errors) : IAsyncDisposable
{
    public int Port => port;

    public static async Task<ListeningProgram> StartAsync(int port, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(ProgramFiles.Find(program)!, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        var process = Process.Start(start)!;
        var listening = new ListeningProgram(process, port, process.StandardError.ReadToEndAsync());
        _ = process.StandardOutput.ReadToEndAsync();
        await Patience.UntilAsync(listening.AnswersAsync, $"{program} at its port");
        return listening;
    }

    /// <summary>Ends it with its helpers. It is asked to end by itself, since some leave things behind otherwise.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            LinuxProcess.Send(process.Id, ProcessSignal.Terminate);
            var ended = process.WaitForExitAsync();
            await ended.WaitAsync(TimeSpan.FromSeconds(10)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!ended.IsCompleted)
            {
                process.Kill(entireProcessTree: true);
            }
        }

        await process.WaitForExitAsync().WaitAsync(Patience.Long);
        process.Dispose();
    }

    private async Task<bool> AnswersAsync()
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
