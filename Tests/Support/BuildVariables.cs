namespace Whip.Tests.Support;

/// <summary>What <c>env</c> is told before a build, so that it is one like a user's and no server of it holds the pipes that its end is read from.</summary>
internal static class BuildVariables
{
    public static IReadOnlyList<string> All { get; } =
        ["MSBUILDDISABLENODEREUSE=1", "DOTNET_CLI_USE_MSBUILD_SERVER=0", "UseSharedCompilation=false", "DOTNET_CLI_UI_LANGUAGE=en"];
}
