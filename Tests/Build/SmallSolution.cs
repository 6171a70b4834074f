using System.IO.Compression;
using Whip.Tests.Docs;
using Whip.Tests.Support;

namespace Whip.Tests.Build;

/// <summary>
/// This repository's build files around one program and one package, <c>Whip.Try</c> 2.0.0, which the full set alone references. Its source is a
/// folder, and no package of the machine is seen.
/// </summary>
internal sealed class SmallSolution : IDisposable
{
    private static readonly string[] Copied =
        ["Directory.Build.props", "Directory.Build.targets", "Directory.Solution.targets", "Makefile", "global.json", "build/Packages.proj", "build/choose-packages.sh"];

    private readonly TempFolder _folder = new();

    public SmallSolution(params string[] sources)
    {
        foreach (var folder in new[] { "App/Full", "App/Lite", "build", "feed" })
        {
            Directory.CreateDirectory(_folder.PathOf(folder));
        }

        foreach (var path in Copied)
        {
            File.Copy(Path.Combine(Documents.Root, path), _folder.PathOf(path));
        }

        _folder.Write("Directory.Packages.props", """<Project><ItemGroup><PackageVersion Include="Whip.Try" Version="2.0.0" /></ItemGroup></Project>""");
        _folder.Write("Small.slnx", """<Solution><Project Path="App/App.csproj" /></Solution>""");
        _folder.Write("App/App.csproj", """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><OutputType>Exe</OutputType></PropertyGroup>
              <ItemGroup><PackageReference Include="Whip.Try" Condition="'$(WhipPackages)' == 'full'" /></ItemGroup>
            </Project>
            """);
        _folder.Write("App/Full/Program.cs", "System.Console.Write(\"Full\");");
        _folder.Write("App/Lite/Program.cs", "System.Console.Write(\"Lite\");");
        var named = (sources.Length > 0 ? sources : [Feed]).Select((source, i) => $"""<add key="{i}" value="{source}" />""");
        _folder.Write("nuget.config", $"<configuration><packageSources><clear />{string.Concat(named)}</packageSources></configuration>");
    }

    public string Feed => _folder.PathOf("feed");

    /// <summary>The set that is kept, or null.</summary>
    public string? Kept => File.Exists(_folder.PathOf("artifacts/packages.props")) ? BuildAnswer.Read(_folder.FullName) : null;

    public void Dispose() => _folder.Dispose();

    public void AddToFeed(string version)
    {
        using var package = ZipFile.Open(Path.Combine(Feed, $"Whip.Try.{version}.nupkg"), ZipArchiveMode.Create);
        using var manifest = new StreamWriter(package.CreateEntry("Whip.Try.nuspec").Open());
        manifest.Write($"""
            <package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
              <metadata><id>Whip.Try</id><version>{version}</version><authors>Whip</authors><description>Empty.</description></metadata>
            </package>
            """);
    }

    public Task<ShellCommand> RunAsync(string program, params string[] args) =>
        ShellCommand.RunAsync(_folder.FullName, "env", [.. BuildVariables.All, $"NUGET_PACKAGES={_folder.PathOf("packages")}", program, .. args]);

    /// <summary>What the program of a set says that was built.</summary>
    public async Task<string> SaysAsync(string set) => (await RunAsync(_folder.PathOf($"artifacts/{set}/bin/App/debug/App"))).Text;

    public IEnumerable<string> Artifacts() => Directory.EnumerateFileSystemEntries(_folder.PathOf("artifacts")).Select(path => Path.GetFileName(path));
}
