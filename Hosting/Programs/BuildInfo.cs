using System.Reflection;

namespace Whip.Hosting.Programs;

/// <summary>The version of this build.</summary>
internal static class BuildInfo
{
    public static string Version { get; } = typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    public static string Describe(string program) => $"{program} {Version}";
}
