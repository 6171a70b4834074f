namespace Whip.Tests.Docs;

/// <summary>The documents of the repository that these tests were built from.</summary>
internal static class Documents
{
    public static string Root { get; } = FindRoot();

    /// <summary>Every document for users and contributors, by its path.</summary>
    public static IReadOnlyDictionary<string, string> All { get; } = Directory.EnumerateFiles(Root, "*.md")
        .Concat(Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md"))
        .ToDictionary(path => Path.GetRelativePath(Root, path), File.ReadAllText);

    public static string Readme => All["README.md"];

    /// <summary>The cells of every table row in a document, without the code quotes around a whole cell.</summary>
    public static IEnumerable<string[]> TableRows(string markdown) => markdown.Split('\n')
        .Where(line => line.StartsWith('|') && !line.StartsWith("|---", StringComparison.Ordinal))
        .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim().Trim('`')).ToArray());

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Whip.Cluster.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("the tests run outside the repository");
        }

        return folder;
    }
}
