using System.Text;
using Whip.Protocol.Options;

namespace Whip.Cli.Pki;

/// <summary>
/// A file that is written under another name and then moved to its place, so that a reader sees the old one or the new one. An old file that
/// was overwritten would keep its mode and its readers. A symbolic link keeps its target.
/// </summary>
internal sealed class StagedFile : IDisposable
{
    private readonly OutputFile _file;
    private readonly string _temporary;

    private StagedFile(OutputFile file)
    {
        _file = file;
        _temporary = $"{file.Target}.{Guid.NewGuid():n}";
    }

    /// <exception cref="WhipOptionException">The file cannot be written.</exception>
    public static StagedFile Create(OutputFile file, string text, UnixFileMode mode)
    {
        var staged = new StagedFile(file);
        try
        {
            file.RequireReplaceable();
            staged.Write(text, mode);
            return staged;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            staged.Dispose();
            throw Failed(file, e);
        }
    }

    /// <summary>Moves the file to its place.</summary>
    /// <exception cref="WhipOptionException">It cannot be moved, or <paramref name="replace"/> is false and the file exists.</exception>
    public void Commit(bool replace)
    {
        try
        {
            File.Move(_temporary, _file.Target, replace);
        }
        catch (IOException) when (!replace && File.Exists(_file.Target))
        {
            throw _file.Exists();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(_file, e);
        }
    }

    public void Dispose()
    {
        if (File.Exists(_temporary))
        {
            File.Delete(_temporary);
        }
    }

    private void Write(string text, UnixFileMode mode)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = mode;
        }

        using var stream = new FileStream(_temporary, options);
        stream.Write(Encoding.ASCII.GetBytes(text));
        stream.Flush(flushToDisk: true);
    }

    private static WhipOptionException Failed(OutputFile file, Exception cause)
    {
        var reason = cause switch
        {
            DirectoryNotFoundException => "its folder does not exist",
            UnauthorizedAccessException => "this user may not",
            _ => cause.Message,
        };
        return new WhipOptionException(file.Flag, file.Path, $"cannot be written: {reason}", "another path");
    }
}
