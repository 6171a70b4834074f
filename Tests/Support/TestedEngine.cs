namespace Whip.Tests.Support;

/// <summary>The engine that cluster tests run on.</summary>
internal static class TestedEngine
{
    /// <summary>What whip-broker is told of it.</summary>
    public static IReadOnlyList<string> Flags { get; } = ["--cluster", "orleans", "--silo-listen", "127.0.0.1:0"];
}
