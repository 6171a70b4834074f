using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Broker.Cluster;

public sealed class NoOrleansTests
{
    [Fact]
    public async Task A_build_without_Orleans_refuses_the_engine_with_exit_code_2()
    {
        await using var broker = WhipProcess.Start(
            "whip-broker",
            ["--tls=false", "--grpc-listen", ":0", "--tcp-listen", ":0", "--dial-listen", ":0", "--metrics-listen=", "--admin-listen=", "--cluster", "orleans", "--postgres", "Host=127.0.0.1;Port=1"]);
        Assert.EndsWith("--cluster \"orleans\": this build has no Orleans: build with -p:WhipPackages=full", await broker.ErrorLineAsync("whip-broker: "));
        Assert.Equal(2, await broker.ExitCodeAsync());
    }
}
