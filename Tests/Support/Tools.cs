using Xunit;

namespace Whip.Tests.Support;

/// <summary>Programs that tests run and the machine may lack.</summary>
internal static class Tools
{
    /// <summary>Skips the test without the program, or fails it when WHIP_REQUIRE_TOOLS is 1.</summary>
    public static void Require(string program)
    {
        var found = NodeTools.Find(program) is not null;
        var problem = $"{program} is not installed: apt-get install -y {program}";
        Assert.True(found || Environment.GetEnvironmentVariable("WHIP_REQUIRE_TOOLS") != "1", problem);
        Skip.IfNot(found, problem);
    }
}
