namespace Whip.Harness;

internal static class Parts
{
    /// <summary>Starts a part and returns it; it is disposed if it does not start.</summary>
    public static async Task<T> StartAsync<T>(T part, Func<T, Task> start)
        where T : IAsyncDisposable
    {
        try
        {
            await start(part);
            return part;
        }
        catch (Exception)
        {
            await part.DisposeAsync();
            throw;
        }
    }
}
