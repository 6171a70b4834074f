using Whip.Protocol.Options;

namespace Whip.Cli.Pki;

/// <summary>A file to write, and the flag that named it.</summary>
internal readonly record struct OutputFile(string Flag, string Path)
{
    /// <exception cref="WhipOptionException">Two of the files are one.</exception>
    public static void RequireDistinct(params ReadOnlySpan<OutputFile> files)
    {
        var paths = new HashSet<string>();
        foreach (var file in files)
        {
            if (!paths.Add(System.IO.Path.GetFullPath(file.Path)))
            {
                throw new WhipOptionException(file.Flag, file.Path, "is the path of another flag as well", "a path of its own");
            }
        }
    }
}
