using System.Diagnostics;

namespace Whip.Harness.Programs;

/// <summary>
/// A shell that outlives this process and owns what this process starts over one folder. When its input ends, because this process was killed, its script
/// ends the programs and removes the folder.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    private readonly Process _shell;

    /// <param name="folder">The script's <c>$1</c> and its working folder.</param>
    /// <param name="script">Reads one line, which <see cref="Dispose"/> writes; when this process was killed, there is none.</param>
    public Watchdog(string folder, string script) =>
        _shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"exec >/dev/null 2>&1; trap '' INT TERM HUP\n{script}", "whip-watchdog", folder])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
        })!;

    public void Dispose()
    {
        try
        {
            _shell.StandardInput.WriteLine("done");
            _shell.StandardInput.Close();
        }
        catch (IOException)
        {
            // Somebody killed the shell.
        }

        _shell.WaitForExit();
        _shell.Dispose();
    }
}
