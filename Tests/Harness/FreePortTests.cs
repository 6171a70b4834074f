namespace Whip.Tests.Harness;

public sealed class FreePortTests
{
    [Fact]
    public void No_port_is_given_twice_though_nobody_listens_on_it_yet()
    {
        // Drawn from 12,000 without memory, 360 ports would be different ones in one run of 200.
        var ports = Enumerable.Range(0, 60).SelectMany(_ => FreePort.Find(6)).ToList();
        Assert.Equal(ports.Count, ports.Distinct().Count());
    }
}
