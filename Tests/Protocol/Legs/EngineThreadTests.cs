using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Tests.Protocol.Legs;

/// <summary>What leaves the thread that watches sockets. A thread that is none of the pool stands for it.</summary>
public sealed class EngineThreadTests
{
    private const int Kib = 1024;

    [Theory, PlainAndTls]
    public async Task A_peer_that_sends_as_fast_as_it_is_read_does_not_keep_the_thread(bool tls)
    {
        await using var pair = await LegPair.ConnectAsync(tls);
        var left = await OnOwnThreadAsync(async () =>
        {
            var buffer = new byte[64 * Kib];
            for (var read = 0; read < 4096 * Kib && !Thread.CurrentThread.IsThreadPoolThread;)
            {
                // Nothing here waits: the bytes are there before each read.
                pair.Near.Write(new byte[16 * Kib]);
                SpinWait.SpinUntil(() => pair.Near.Progress is { IsOutstanding: false }, Patience.Long);
                read += await pair.Far.ReadAsync(buffer);
            }

            return Thread.CurrentThread.IsThreadPoolThread;
        });
        Assert.True(left);
    }

    [Fact]
    public async Task A_handshake_leaves_the_thread()
    {
        await using var pair = await LegPair.ConnectAsync(tls: false);
        var certificates = TestCertificates.Shared;
        var begun = await OnOwnThreadAsync(() =>
        {
            var far = pair.Far.AuthenticateAsServerAsync(certificates.BrokerIdentity, PeerRole.Client, default);
            var near = pair.Near.AuthenticateAsClientAsync(certificates.ClientIdentity("a.testdom"), "127.0.0.1", default);
            return Task.FromResult(Task.WhenAll(near, far));
        });
        await begun.WaitAsync(Patience.Long);
        Assert.True(pair.Far.IsTls);
    }

    [Fact]
    public async Task What_is_awaited_leaves_the_thread_even_if_it_fails()
    {
        Assert.Equal(("7", true), await AwaitAsync(pending => pending.SetResult(7)));
        Assert.Equal((nameof(IOException), true), await AwaitAsync(pending => pending.SetException(new IOException())));

        // Awaited before it completes, in the thread that completes it.
        static Task<(string Result, bool IsPool)> AwaitAsync(Action<TaskCompletionSource<int>> complete) => OnOwnThreadAsync(() =>
        {
            var pending = new TaskCompletionSource<int>();
            var awaiting = ResultAsync(pending.Task);
            complete(pending);
            return awaiting;
        });

        static async Task<(string Result, bool IsPool)> ResultAsync(Task<int> task)
        {
            try
            {
                return ($"{await EngineThread.LeaveAfter(task)}", Thread.CurrentThread.IsThreadPoolThread);
            }
            catch (IOException error)
            {
                return (error.GetType().Name, Thread.CurrentThread.IsThreadPoolThread);
            }
        }
    }

    [Fact]
    public void A_process_that_embeds_the_library_is_left_as_it_is() =>
        Assert.NotEqual("1", Environment.GetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"));

    private static Task<T> OnOwnThreadAsync<T>(Func<Task<T>> run)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() => _ = CompleteAsync()) { IsBackground = true };
        thread.Start();
        return done.Task.WaitAsync(Patience.Long);

        async Task CompleteAsync()
        {
            try
            {
                done.SetResult(await run());
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        }
    }
}
