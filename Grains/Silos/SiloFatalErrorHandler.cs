namespace Whip.Grains.Silos;

/// <summary>
/// Orleans ends the process by default when the others have declared its silo dead, as they do when a host hangs. A broker keeps its streams and
/// relays, which do not depend on Orleans, and starts another silo.
/// </summary>
internal sealed class SiloFatalErrorHandler : IFatalErrorHandler
{
    private readonly TaskCompletionSource<string> _died = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes, with the reason, when the silo is no longer one of the cluster.</summary>
    public Task<string> Died => _died.Task;

    /// <summary>The time limit of its stop has passed.</summary>
    public void GiveUpStopping() => _died.TrySetResult("it was stopped");

    public bool IsUnexpected(Exception exception) => exception is not OperationCanceledException;

    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null) =>
        _died.TrySetResult(Printable.Clean(SiloLoggerFactory.FirstLine(exception?.Message ?? context ?? "a fatal error")));
}
