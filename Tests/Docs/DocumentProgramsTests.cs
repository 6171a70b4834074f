using System.Reflection;

namespace Whip.Tests.Docs;

/// <summary>The C# of the documents. Each block is the whole program of a console project that references what its marker names.</summary>
public sealed class DocumentProgramsTests : IDisposable
{
    private const string Marker = "program ";
    private const string DialPort = "8010";
    private const string ServicePort = "5051";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Each_builds_as_pasted_into_a_console_project_and_those_that_dial_print_the_answer()
    {
        var port = FreePort.Find(1)[0];
        await using var broker = await StartBrokerAsync();
        await using var agent = await StartAgentAsync(broker, port);
        await broker.ErrorLineAsync("instance1.testdom registered");

        var blocks = Documents.All.Values.SelectMany(DocBlock.Read).Where(block => block.Language == "csharp").ToList();
        Assert.All(blocks, block => Assert.StartsWith(Marker, block.Marker));
        for (var i = 0; i < blocks.Count; i++)
        {
            Directory.CreateDirectory(_folder.PathOf($"p{i}"));
            _folder.Write($"p{i}/p{i}.csproj", Project(blocks[i].Marker[Marker.Length..]));
            _folder.Write($"p{i}/Program.cs", blocks[i].Text
                .Replace(DialPort, $"{broker.Addresses["dial"].Port}", StringComparison.Ordinal)
                .Replace(ServicePort, $"{port}", StringComparison.Ordinal));
        }

        await BuildAsync(blocks.Count);
        Assert.Equal(3, blocks.Count(Dials));
        foreach (var i in Enumerable.Range(0, blocks.Count).Where(i => Dials(blocks[i])))
        {
            var run = await ShellCommand.RunAsync(_folder.FullName, "dotnet", _folder.PathOf($"p{i}/bin/{Configuration}/net10.0/p{i}.dll"));
            Assert.True(run.ExitCode == 0 && run.Text.EndsWith("ok\n", StringComparison.Ordinal), run.Text);
        }
    }

    private static string Configuration { get; } =
        typeof(DocumentProgramsTests).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    private static bool Dials(DocBlock block) => block.Marker.EndsWith("Whip.Client.csproj", StringComparison.Ordinal);

    /// <summary>As <c>dotnet new console</c> and <c>dotnet add reference</c> make it.</summary>
    private static string Project(string reference) => $"""
        <Project Sdk="Microsoft.NET.Sdk">

          <ItemGroup>
            <ProjectReference Include="{Path.Combine(Documents.Root, reference)}" />
          </ItemGroup>

          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
            <Nullable>enable</Nullable>
          </PropertyGroup>

        </Project>

        """;

    /// <summary>All in one build, over what they reference as these tests have it.</summary>
    private async Task BuildAsync(int count)
    {
        var projects = string.Concat(Enumerable.Range(0, count).Select(i => $"<Project Path=\"p{i}/p{i}.csproj\" />"));
        _folder.Write("all.slnx", $"<Solution>{projects}</Solution>");
        string[] asBuilt = ["-c", Configuration, "-p:BuildProjectReferences=false", "-p:ShouldUnsetParentConfigurationAndPlatform=false"];
        var build = await ShellCommand.RunAsync(_folder.FullName, "env", [.. BuildVariables.All, "dotnet", "build", "all.slnx", .. asBuilt]);
        Assert.True(build.ExitCode == 0, build.Text);
        Assert.DoesNotContain("warning CS", build.Text);
    }

    private Task<WhipProcess> StartBrokerAsync()
    {
        var tls = TestCertificates.Shared.WriteFiles(_folder.FullName);
        TestCertificates.Shared.WriteFiles(_folder.FullName, "dialer", TestCertificates.Shared.ClientIdentity("alice.dialers"));
        return WhipProcess.StartReadyAsync(
            "whip-broker",
            [
                .. Certificates.Flags(tls), "--grpc-listen=127.0.0.1:0", "--tcp-listen=127.0.0.1:0", "--dial-listen=127.0.0.1:0", "--metrics-listen=",
                "--admin-listen=",
            ]);
    }

    private Task<WhipProcess> StartAgentAsync(WhipProcess broker, int port)
    {
        var tls = TestCertificates.Shared.WriteFiles(_folder.FullName, "agent", TestCertificates.Shared.ClientIdentity("instance1.testdom"));
        return WhipProcess.StartReadyAsync(
            "whip-agent",
            [
                .. Certificates.Flags(tls), "--hostname=instance1", "--domain=testdom", $"--ports={port}", $"--metrics-listen=127.0.0.1:{port}",
                $"{broker.Addresses["grpc"]}",
            ]);
    }
}
