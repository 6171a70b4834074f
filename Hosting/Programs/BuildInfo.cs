using System.Reflection;

namespace Whip.Hosting.Programs;

/// <summary>What this build is.</summary>
internal static class BuildInfo
{
    public static string Version { get; } = typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>The package set: <c>lite</c> or <c>full</c>.</summary>
    public static string Packages { get; } =
        typeof(BuildInfo).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == "WhipPackages").Value!;

    public static string Describe(string program) => $"{program} {Version} ({Packages})";
}
