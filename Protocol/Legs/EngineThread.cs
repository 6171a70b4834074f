using System.Runtime.CompilerServices;

namespace Whip.Protocol.Legs;

/// <summary>
/// The programs let what waits for a socket go on in the runtime's thread that watches it, and many others. Nothing may block that thread or keep it
/// for long: handshakes, files and what is not Whip's own leave it. Where the runtime does not work so, all this does nothing.
/// </summary>
internal static class EngineThread
{
    private const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>For the first line of a program: the runtime reads the variable, and no configuration file, before the first socket is made.</summary>
    public static void UseForContinuations()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
        {
            Environment.SetEnvironmentVariable(Variable, "1");
        }
    }

    /// <summary>What follows the await runs in a thread of the pool.</summary>
    public static PoolSwitch Leave() => default;

    /// <summary>What follows the await of a task that is under way runs in a thread of the pool, even if the task fails.</summary>
    public static async Task<T> LeaveAfter<T>(Task<T> task)
    {
        await ((Task)task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Leave();
        return await task.ConfigureAwait(false);
    }
}

/// <summary>Awaited by <see cref="EngineThread.Leave"/>; it costs nothing in a thread of the pool.</summary>
internal readonly struct PoolSwitch : ICriticalNotifyCompletion
{
    public bool IsCompleted => Thread.CurrentThread.IsThreadPoolThread;

    public PoolSwitch GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => ThreadPool.QueueUserWorkItem(static action => action(), continuation, preferLocal: false);

    public void UnsafeOnCompleted(Action continuation) => ThreadPool.UnsafeQueueUserWorkItem(static action => action(), continuation, preferLocal: false);
}
