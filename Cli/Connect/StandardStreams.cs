using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Whip.Cli.Connect;

/// <summary>The standard input, output and error of the process, as the shell has set them up.</summary>
internal static partial class StandardStreams
{
    private const int GetFlags = 1;
    private const int CloseOnExec = 1;

    /// <summary>
    /// False when the process was started without this descriptor, as by <c>&gt;&amp;-</c>. Its number then is one of the runtime's own
    /// descriptors, which are all closed on exec; one that came from a shell cannot be.
    /// </summary>
    public static bool IsOpen(int descriptor) => Control(descriptor, GetFlags) is var flags && flags >= 0 && (flags & CloseOnExec) == 0;

    /// <summary>An input that is closed is an empty one.</summary>
    public static Stream OpenInput() => IsOpen(0) ? Open(0) : Stream.Null;

    /// <summary>Disposing it ends the output for its reader. When the output is closed, each write fails.</summary>
    public static Stream OpenOutput() => Open(IsOpen(1) ? 1 : -1);

    private static DescriptorStream Open(int descriptor) => new(new SafeFileHandle(descriptor, ownsHandle: true));

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command);
}
