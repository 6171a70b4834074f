using Xunit;

namespace Whip.Tests.Build;

/// <summary>Which set of packages a build takes: by this repository's build files, around a solution that builds in seconds.</summary>
public sealed class PackageChoiceTests
{
    [Theory]
    [InlineData("full", "Full", "2.0.0", "every package restores (kept in artifacts/packages.props; make packages looks again)")]
    [InlineData("lite", "Lite", null, "NU1101: Unable to find package Whip.Try. ")]
    public async Task A_plain_build_finds_its_set_says_it_once_and_builds_it(string set, string program, string? served, string why)
    {
        using var solution = Serving(served);
        var build = await solution.RunAsync("dotnet", "build");
        Assert.True(build.ExitCode == 0, build.Text);
        Assert.StartsWith($"packages: {set}: {why}", Assert.Single(BuildAnswer.Lines(build.Text)));
        Assert.Contains("0 Warning(s)", build.Text);
        Assert.Equal(set, solution.Kept);
        Assert.Equal(program, await solution.SaysAsync(set));
    }

    [Theory]
    [InlineData("1.0.0", "NU1102: Unable to find package Whip.Try with version (>= 2.0.0)")]
    [InlineData("3.0.0", "NU1603: Packages depends on Whip.Try (>= 2.0.0) but Whip.Try 2.0.0 was not found. Whip.Try 3.0.0 was resolved instead.")]
    public async Task Another_version_than_the_one_asked_for_is_a_lack(string served, string why)
    {
        using var solution = Serving(served);
        var restore = await solution.RunAsync("dotnet", "restore");
        Assert.True(restore.ExitCode == 0, restore.Text);
        Assert.StartsWith($"packages: lite: {why}", Assert.Single(BuildAnswer.Lines(restore.Text)));
        Assert.Equal("lite", solution.Kept);
    }

    [Theory]
    [InlineData("https://127.0.0.1:1/index.json", "NU1301: Unable to load the service index for source https://127.0.0.1:1/index.json.")]
    [InlineData("/no/such/folder", "NU1301: The local source '/no/such/folder' doesn't exist.")]
    [InlineData("/no/such/folder", "NU1301: The local source '/no/such/folder' doesn't exist.", "feed")]
    public async Task A_source_that_does_not_answer_fails_the_build_and_is_no_answer(string source, string why, params string[] others)
    {
        using var solution = new SmallSolution([source, .. others]);
        var restore = await solution.RunAsync("dotnet", "restore");
        Assert.NotEqual(0, restore.ExitCode);
        Assert.Contains($"error {why}", restore.Text);
        Assert.Contains("-p:WhipPackages=full or lite chooses", restore.Text);
        Assert.DoesNotContain("App.csproj", restore.Text);
        Assert.Null(solution.Kept);
    }

    [Fact]
    public async Task What_was_found_stays_until_make_packages_looks_again()
    {
        using var solution = Serving(null);
        Assert.Single(BuildAnswer.Lines((await solution.RunAsync("dotnet", "restore")).Text));
        solution.AddToFeed("2.0.0");
        Assert.Empty(BuildAnswer.Lines((await solution.RunAsync("dotnet", "restore")).Text));
        Assert.Equal("lite", solution.Kept);

        var packages = await solution.RunAsync("make", "packages");
        Assert.True(packages.ExitCode == 0, packages.Text);
        Assert.Equal("full", solution.Kept);
        Assert.Equal(0, (await solution.RunAsync("make", "clean")).ExitCode);
        Assert.Null(solution.Kept);
    }

    [Fact]
    public async Task Sources_on_the_command_line_are_the_ones_looked_at()
    {
        using var solution = new SmallSolution("/no/such/folder");
        solution.AddToFeed("2.0.0");
        var restore = await solution.RunAsync("dotnet", "restore", "--source", solution.Feed, "--source", Path.GetTempPath());
        Assert.True(restore.ExitCode == 0, restore.Text);
        Assert.Equal("full", solution.Kept);
    }

    [Theory]
    [InlineData("dotnet", "build", "-p:WhipPackages=lite")]
    [InlineData("env", "WhipPackages=lite", "dotnet", "build")]
    public async Task A_set_that_is_given_is_not_looked_for(string program, params string[] args)
    {
        using var solution = new SmallSolution("/no/such/folder");
        var build = await solution.RunAsync(program, args);
        Assert.True(build.ExitCode == 0, build.Text);
        Assert.Null(solution.Kept);
        Assert.Equal("Lite", await solution.SaysAsync("lite"));
    }

    [Fact]
    public async Task A_set_that_does_not_exist_is_refused()
    {
        using var solution = Serving(null);
        var build = await solution.RunAsync("dotnet", "build", "-p:WhipPackages=medium");
        Assert.NotEqual(0, build.ExitCode);
        Assert.Contains("error : WhipPackages is \"medium\": it is full or lite.", build.Text);
    }

    [Fact]
    public async Task A_project_alone_takes_full_and_says_what_helps_else_what_was_found()
    {
        using var solution = Serving(null);
        var alone = await solution.RunAsync("dotnet", "restore", "App");
        Assert.NotEqual(0, alone.ExitCode);
        Assert.Contains("error NU1101", alone.Text);
        Assert.Contains("`make packages`", Assert.Single(BuildAnswer.Lines(alone.Text)));
        Assert.Null(solution.Kept);

        Assert.Equal(0, (await solution.RunAsync("make", "packages")).ExitCode);
        var after = await solution.RunAsync("dotnet", "restore", "App");
        Assert.True(after.ExitCode == 0, after.Text);
        Assert.Empty(BuildAnswer.Lines(after.Text));
    }

    [Fact]
    public async Task Two_may_look_at_once()
    {
        using var solution = Serving("2.0.0");
        var both = await Task.WhenAll(solution.RunAsync("build/choose-packages.sh"), solution.RunAsync("build/choose-packages.sh"));
        Assert.All(both, one => Assert.True(one.ExitCode == 0, one.Text));
        Assert.Equal("full", solution.Kept);
        Assert.Equal(["full", "packages.props"], solution.Artifacts().Order());
    }

    private static SmallSolution Serving(string? version)
    {
        var solution = new SmallSolution();
        if (version is not null)
        {
            solution.AddToFeed(version);
        }

        return solution;
    }
}
