namespace Whip.Harness.Programs;

/// <summary>Programs of the machine.</summary>
internal static class ProgramFiles
{
    // Where Debian has programs of administrators, whose path alone names it.
    private const string Administrators = "/usr/sbin";

    /// <summary>The full path of a program on PATH; null when there is none.</summary>
    public static string? Find(string program) => $"{Environment.GetEnvironmentVariable("PATH")}{Path.PathSeparator}{Administrators}"
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, program))
        .FirstOrDefault(File.Exists);

    /// <exception cref="PartFailedException">There is none; it tells how to get it.</exception>
    public static string Require(string program, string install) =>
        Find(program) ?? throw new PartFailedException(program, $"it is not on the path; try: {install}", []);
}
