using System.Reflection;

namespace Whip.Hosting.Programs;

/// <summary>What this build is.</summary>
internal static class BuildInfo
{
    public static string Version { get; } = typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    public static string Describe(string program) => $"{program} {Version}";
}
