using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Whip.Tests.Support;

/// <summary>
/// Makes the kernel drop every packet that arrives for a socket: for its peer the machine has vanished. A listening socket ignores SYNs then.
/// </summary>
internal static class DeafSocket
{
    // Of Linux's <asm-generic/socket.h>; .NET has no name for them.
    private const int SolSocket = 1;
    private const int AttachFilter = 26;
    private const int DetachFilter = 27;

    /// <summary>"BPF_RET | BPF_K, 0": keep nothing of a packet.</summary>
    private static readonly byte[] DropEverything = [6, 0, 0, 0, 0, 0, 0, 0];

    public static void Deafen(this Socket socket)
    {
        var filter = GCHandle.Alloc(DropEverything, GCHandleType.Pinned);
        try
        {
            // struct sock_fprog: the number of instructions, padded to a pointer, and where they are.
            byte[] program = [1, 0, 0, 0, 0, 0, 0, 0, .. BitConverter.GetBytes((long)filter.AddrOfPinnedObject())];
            socket.SetRawSocketOption(SolSocket, AttachFilter, program);
        }
        finally
        {
            filter.Free();
        }
    }

    public static void Undeafen(this Socket socket) => socket.SetRawSocketOption(SolSocket, DetachFilter, new byte[4]);
}
