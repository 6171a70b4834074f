using System.Diagnostics;

namespace Whip.Tests.Cli.Connect;

/// <summary>A running <c>whip connect</c>, killed when the test ends.</summary>
internal sealed class ConnectProcess : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Process _process;

    public ConnectProcess(bool tls, string broker, string target = "web.testdom:22", params string[] more)
    {
        var options = tls ? TestCertificates.Shared.WriteClientFiles(_folder.FullName, "dialer.testdom") : null;
        string[] flags = options is null
            ? ["--tls=false"]
            : ["--tls-key-path", options.KeyPath!, "--tls-cert-path", options.CertPath!, "--tls-ca-cert-path", options.CaCertPath!];
        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        var whip = Path.Combine(AppContext.BaseDirectory, "whip.dll");
        _process = Process.Start(new ProcessStartInfo(host, [whip, "connect", target, "--broker", broker, .. flags, .. more])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    public int Id => _process.Id;

    public Stream Input => _process.StandardInput.BaseStream;

    public Stream Output => _process.StandardOutput.BaseStream;

    /// <summary>The exit code and standard error.</summary>
    public async Task<(int ExitCode, string Error)> WaitForExitAsync()
    {
        var error = await _process.StandardError.ReadToEndAsync().WaitAsync(Patience.Long);
        await _process.WaitForExitAsync().WaitAsync(Patience.Long);
        return (_process.ExitCode, error);
    }

    public void Dispose()
    {
        _process.Kill();
        _process.Dispose();
        _folder.Dispose();
    }
}
