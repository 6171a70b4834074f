using Whip.Protocol.Tls;
using Whip.Tests.Broker.Admin;

namespace Whip.Tests.Cli.Admin;

public sealed class RefusedFilesTests
{
    [Fact]
    public async Task Status_tells_which_files_are_refused_and_why_until_they_are_mended()
    {
        using var folder = new TempFolder();
        WhipTlsOptions tls = null!;
        await using var broker = await AdminRequests.StartAsync(tls: true, options =>
        {
            tls = options.Tls;
            tls.DenyPath = folder.Write("deny", "");
            options.DialPolicyPath = folder.Write("policy.json", "[]");
        });
        var certificate = await File.ReadAllTextAsync(tls.CertPath!);
        Assert.DoesNotContain("refused", await StatusAsync(broker));
        Assert.Empty((await broker.ReadAsync("/api/status"))["refusedFiles"]!.AsArray());

        folder.Write("deny", "b c");
        folder.Write("policy.json", """[{"dialer": "*", "name": "*"}]""");
        await File.WriteAllTextAsync(tls.CertPath!, "nothing");
        broker.Parts.Files.Look(atOnce: true);
        const string What = "what the file holds now is refused, and what it held before stays in force";
        var status = await StatusAsync(broker);
        Assert.Contains($"b1: certificates: {What}: Tls.CertPath \"{tls.CertPath}\": holds no PEM certificate", status);
        Assert.Contains($"b1: policy: {What}: rule 1: allow: must be true or false", status);
        Assert.Contains($"b1: deny: {What}: line 1: \"b c\" matches no certificate", status);
        var refused = (await broker.ReadAsync("/api/status"))["refusedFiles"]!.AsArray();
        Assert.Equal(["certificates", "policy", "deny"], refused.Select(file => $"{file!["file"]}"));

        folder.Write("deny", "");
        folder.Write("policy.json", "[]");
        await File.WriteAllTextAsync(tls.CertPath!, certificate);
        broker.Parts.Files.Look(atOnce: true);
        Assert.DoesNotContain("refused", await StatusAsync(broker));
    }

    private static async Task<string> StatusAsync(TestBroker broker)
    {
        var run = await WhipRun.RunAsync("status", "--admin", $"{broker.Broker.AdminEndPoint}");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return run.Output;
    }
}
