using System.Text.RegularExpressions;
using Whip.Tests.Docs;

namespace Whip.Tests.Deploy;

/// <summary>The Dockerfile, as far as it can be tried without an engine: what it publishes, and what it copies beside.</summary>
public sealed partial class ImageTests : IDisposable
{
    // With code for the kind of machine that it is built on.
    private const string AsMakeBuild = " --use-current-runtime --no-self-contained";

    private static readonly string Dockerfile = File.ReadAllText(Path.Combine(Documents.Root, "deploy", "Dockerfile"));

    private static readonly string Healthy = Path.Combine(Documents.Root, "deploy", "healthy");

    private readonly TempFolder _folder = new();

    [GeneratedRegex("^RUN (dotnet publish .* -o /out/([a-z]+))$", RegexOptions.Multiline)]
    private static partial Regex Publish { get; }

    [GeneratedRegex(@"^FROM runtime AS ([a-z]+)\nCOPY --from=build /out/([a-z]+) /app\nENTRYPOINT \[""([a-z-]+)""\]$", RegexOptions.Multiline)]
    private static partial Regex Image { get; }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_publish_commands_work_as_written()
    {
        foreach (Match publish in Publish.Matches(Dockerfile))
        {
            // Without machine code, which takes minutes, this publishes what the tests were built with.
            var command = publish.Groups[1].Value.Replace("/out/", $"{_folder.FullName}/").Replace(AsMakeBuild, "");
            var run = await ShellCommand.RunAsync(Documents.Root, "env", [.. BuildVariables.All, "sh", "-c", command]);
            Assert.True(run.ExitCode == 0, run.Text);
        }

        foreach (Match image in Image.Matches(Dockerfile))
        {
            var program = image.Groups[3].Value;
            var version = await ShellCommand.RunAsync(_folder.FullName, _folder.PathOf($"{image.Groups[2].Value}/{program}"), "--version");
            Assert.Matches($@"^{program} \d+\.\d+\.\d+\n$", version.Text);
        }
    }

    [Fact]
    public async Task They_carry_machine_code_as_those_of_make_build()
    {
        Assert.Contains(AsMakeBuild, await File.ReadAllTextAsync(Path.Combine(Documents.Root, "Makefile")));
        Assert.All(Publish.Matches(Dockerfile), publish => Assert.Contains(AsMakeBuild, publish.Value));
        string[] evaluate = ["dotnet", "msbuild", "Broker/Whip.Broker.csproj", "-getProperty:PublishReadyToRun", "-p:UseCurrentRuntimeIdentifier=true"];
        Assert.Equal("true", (await ShellCommand.RunAsync(Documents.Root, "env", [.. BuildVariables.All, .. evaluate])).Text.Trim());
    }

    [SkippableFact]
    public async Task Every_service_has_an_image_and_every_image_a_published_program()
    {
        var file = await ComposeFile.ReadAsync();
        var images = Image.Matches(Dockerfile).Select(image => image.Groups[1].Value).ToList();
        Assert.Equal(images.Order(), file.Services.Values.Select(service => service.Target).Where(target => target.Length > 0).Distinct().Order());
        Assert.Equal(images, Image.Matches(Dockerfile).Select(image => image.Groups[2].Value));
        Assert.Equal(images, Publish.Matches(Dockerfile).Select(command => command.Groups[2].Value));
        Assert.All(file.Programs, service => Assert.Contains(
            $"FROM runtime AS {service.Target}\nCOPY --from=build /out/{service.Target} /app\nENTRYPOINT [\"{service.Program}\"]", Dockerfile));
    }

    [Fact]
    public void What_is_copied_beside_the_programs_can_be_run_and_volumes_are_the_users()
    {
        var copied = Regex.Match(Dockerfile, "^COPY (.+) /usr/local/bin/$", RegexOptions.Multiline).Groups[1].Value.Split(' ');
        Assert.Equal(["deploy/healthy", "deploy/make-certificates"], copied);
        Assert.All(copied, path =>
        {
            Assert.True(new FileInfo(Path.Combine(Documents.Root, path)).UnixFileMode.HasFlag(UnixFileMode.OtherRead | UnixFileMode.OtherExecute), path);
            Assert.StartsWith("#!/usr/bin/env bash\n", File.ReadAllText(Path.Combine(Documents.Root, path)));
        });
        Assert.Contains("\nUSER $APP_UID\n", Dockerfile);
    }

    [Fact]
    public async Task The_health_check_succeeds_at_a_program_that_is_ready_alone()
    {
        await using var broker = await WhipProcess.StartReadyAsync(
            "whip-broker", "--tls=false", "--grpc-listen", ":0", "--tcp-listen", ":0", "--dial-listen", ":0", "--admin-listen", "127.0.0.1:0",
                "--metrics-listen", "127.0.0.1:0");
        Assert.Equal(0, await CheckAsync(broker));

        await using var agent = await WhipProcess.StartReadyAsync(
            "whip-agent", "--tls=false", "--domain", "testdom", "--ports", "5051", "--metrics-listen", "127.0.0.1:0", "127.0.0.1:1");
        Assert.Equal(1, await CheckAsync(agent));

        Assert.Equal(1, (await ShellCommand.RunAsync(Documents.Root, Healthy, "1")).ExitCode);
    }

    private static async Task<int> CheckAsync(WhipProcess program) =>
        (await ShellCommand.RunAsync(Documents.Root, Healthy, $"{program.Addresses["metrics"].Port}")).ExitCode;
}
