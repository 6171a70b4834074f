using Whip.Protocol.Via;

namespace Whip.Harness.Programs;

/// <summary>What is started here connects to this machine, whatever proxy its user has for the rest of the world.</summary>
internal static class LocalNames
{
    private const string All = "127.0.0.0/8,::1,localhost,test,example,testdom";

    /// <summary>For this process and those that it starts.</summary>
    public static void NeedNoProxy()
    {
        if (WayOut.Variables.Any(name => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name))))
        {
            var others = Environment.GetEnvironmentVariable("no_proxy") ?? Environment.GetEnvironmentVariable("NO_PROXY");
            Environment.SetEnvironmentVariable("no_proxy", others == "*" ? others : $"{All},{others}");
        }
    }
}
