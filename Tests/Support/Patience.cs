namespace Whip.Tests.Support;

/// <summary>How long a test waits for what must happen. Long enough for a busy machine: only a broken promise runs into it.</summary>
internal static class Patience
{
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    /// <summary>Waits for a state that nothing announces, looking every few milliseconds.</summary>
    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);

    /// <summary>The same for a state that has to be asked for.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        using var deadline = new CancellationTokenSource(Long);
        while (!await condition().WaitAsync(Long))
        {
            Assert.False(deadline.IsCancellationRequested, $"never came: {what}");
            await Task.Delay(5);
        }
    }
}
