using Whip.Tests.Support;

namespace Whip.Tests.Bench;

/// <summary>A folder of the real programs, some of them left out or replaced by a script.</summary>
internal sealed class ProgramFolder : IDisposable
{
    private readonly TempFolder _folder = new();

    public ProgramFolder(params IEnumerable<string> programs)
    {
        foreach (var program in programs)
        {
            File.CreateSymbolicLink(_folder.PathOf(program), Path.Combine(AppContext.BaseDirectory, program));
        }
    }

    public string FullName => _folder.FullName;

    public void AddScript(string program, string script)
    {
        var path = _folder.Write(program, $"#!/bin/sh\n{script}\n");
        if (OperatingSystem.IsLinux())
        {
            File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.UserExecute);
        }
    }

    public void Dispose() => _folder.Dispose();
}
