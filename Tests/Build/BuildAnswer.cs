using System.Xml.Linq;

namespace Whip.Tests.Build;

/// <summary>Which set of packages a build of a folder said and kept.</summary>
internal static class BuildAnswer
{
    /// <summary>The set that is kept in the folder.</summary>
    public static string Read(string folder) => XDocument.Load(Path.Combine(folder, "artifacts/packages.props")).Descendants("WhipPackages").Single().Value;

    /// <summary>The lines of a build that say which set it takes.</summary>
    public static string[] Lines(string output) =>
        output.Split('\n', StringSplitOptions.TrimEntries).Where(line => line.StartsWith("packages: ", StringComparison.Ordinal)).ToArray();
}
