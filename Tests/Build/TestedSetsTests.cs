using System.Text.RegularExpressions;
using Whip.Tests.Docs;
using Xunit;

namespace Whip.Tests.Build;

/// <summary>The words in <c>test.sh</c> by which tests run in full too.</summary>
public sealed partial class TestedSetsTests
{
    private static readonly string[] Words =
        Again.Match(File.ReadAllText(Path.Combine(Documents.Root, "test.sh"))).Groups[1].Value.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);

    // By the files, for each set compiles but a part of them.
    private static readonly (string Path, string Name)[] Classes = Directory
        .EnumerateFiles(Path.Combine(Documents.Root, "Tests"), "*Tests.cs", SearchOption.AllDirectories)
        .Select(path => (path, $"{Namespace.Match(File.ReadAllText(path)).Groups[1].Value}.{Path.GetFileNameWithoutExtension(path)}."))
        .ToArray();

    [GeneratedRegex("^again=\"([^\"]+)\"", RegexOptions.Multiline)]
    private static partial Regex Again { get; }

    [GeneratedRegex("^namespace ([A-Za-z.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace { get; }

    [Fact]
    public void Each_word_finds_tests() =>
        Assert.All(Words, word => Assert.Contains(Classes, test => test.Name.Contains(word, StringComparison.Ordinal)));

    [Fact]
    public void What_only_full_compiles_is_found() =>
        Assert.All(
            Classes.Where(test => test.Path.Contains("/Full/", StringComparison.Ordinal)),
            test => Assert.Contains(Words, word => test.Name.Contains(word, StringComparison.Ordinal)));
}
