using Microsoft.Win32.SafeHandles;

namespace Whip.Cli.Connect;

/// <summary>
/// The standard input and output of the process, unbuffered. The streams of the console report success for a write to a broken pipe, and
/// disposing them does not end the output for its reader.
/// </summary>
internal static class StandardStreams
{
    public static Stream OpenInput() => new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);

    public static Stream OpenOutput() => new FileStream(new SafeFileHandle(1, ownsHandle: true), FileAccess.Write, bufferSize: 0);
}
