using Whip.Protocol.Names;

namespace Whip.Grains.Silos;

/// <summary>
/// Orleans would end the process when the others have declared its silo dead, as they do when a host hangs. A broker's streams and
/// relays are none of Orleans' and stay as they are; it becomes another silo.
/// </summary>
internal sealed class SiloDeath : IFatalErrorHandler
{
    private readonly TaskCompletionSource<string> _died = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<string> Died => _died.Task;

    /// <summary>Its time to stop is over.</summary>
    public void Stopped() => _died.TrySetResult("it was stopped");

    public bool IsUnexpected(Exception exception) => exception is not OperationCanceledException;

    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null) =>
        _died.TrySetResult(Printable.Clean(exception?.Message ?? context ?? "a fatal error"));
}
