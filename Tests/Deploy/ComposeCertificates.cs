using Whip.Tests.Docs;

namespace Whip.Tests.Deploy;

/// <summary>What the pki service makes.</summary>
public sealed class ComposeCertificates : IAsyncLifetime
{
    private readonly TempFolder _folder = new();

    /// <summary>Stands for the volumes' <c>/certs</c>.</summary>
    public string Folder => _folder.FullName;

    public string Said { get; private set; } = "";

    public async Task InitializeAsync() => Said = await MakeAsync();

    /// <returns>What it said.</returns>
    public async Task<string> MakeAsync()
    {
        var path = $"PATH={AppContext.BaseDirectory}:{Environment.GetEnvironmentVariable("PATH")}";
        var run = await ShellCommand.RunAsync(Documents.Root, "env", path, "deploy/make-certificates", Folder);
        Assert.True(run.ExitCode == 0, run.Text);
        return run.Text;
    }

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }
}
