using System.Diagnostics;

namespace Whip.Bench.Local;

/// <summary>
/// A shell that outlives this process. Should this process be killed, the shell reads the end of its input, ends the programs it was told of and
/// removes their folder: nobody else could.
/// </summary>
internal sealed class Guard : IDisposable
{
    private const string Done = "done";

    private const string Script =
        $"""
        trap '' INT TERM HUP
        pids=
        while read -r pid; do [ "$pid" = {Done} ] && exit; pids="$pids $pid"; done
        [ -n "$pids" ] && kill -TERM $pids
        tries=50
        while [ -n "$pids" ] && kill -0 $pids && [ $tries -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
        [ -n "$pids" ] && kill -KILL $pids
        rm -rf -- "$1"
        """;

    private readonly Process _shell;

    public Guard(string folder) => _shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", Script, "whip-bench-guard", folder])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    public void Watch(int pid) => Tell($"{pid}");

    /// <summary>Everything has ended: there is nothing left to guard.</summary>
    public void Dispose()
    {
        Tell(Done);
        _shell.WaitForExit();
        _shell.Dispose();
    }

    private void Tell(string line)
    {
        try
        {
            _shell.StandardInput.WriteLine(line);
            _shell.StandardInput.Flush();
        }
        catch (IOException)
        {
            // Somebody killed the shell: this process still ends the programs itself.
        }
    }
}
