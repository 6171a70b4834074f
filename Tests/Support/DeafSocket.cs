using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Whip.Protocol.Legs;

namespace Whip.Tests.Support;

/// <summary>
/// Makes the kernel drop every packet that arrives for a socket: for its peer the machine has vanished. A listening socket ignores SYNs then.
/// </summary>
internal static class DeafSocket
{
    // Of Linux's <asm-generic/socket.h>; .NET has no name for them.
    private const int SolSocket = 1;
    private const int AttachFilter = 26;

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

    /// <summary>Without anything left to send again: a machine that vanished sends nothing.</summary>
    public static async Task VanishAsync(this Socket socket)
    {
        await Patience.UntilAsync(() => TcpProgress.Of(socket) is { IsOutstanding: false }, "everything to be acknowledged");
        socket.Deafen();
    }

    public static Task VanishAsync(this Leg leg) => SocketOf(leg).VanishAsync();

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_socket")]
    private static extern ref Socket SocketOf(Leg leg);
}
