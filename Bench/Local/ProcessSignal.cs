using System.Runtime.InteropServices;

namespace Whip.Bench.Local;

/// <summary>Signals to one process, by its id.</summary>
internal static class ProcessSignal
{
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <summary>Does nothing to a process that has just ended.</summary>
    public static void Send(int pid, int signal) => _ = SendSignal(pid, signal);

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int pid, int signal);
}
