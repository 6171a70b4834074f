namespace Whip.Hosting.Programs;

/// <summary>What <see cref="WhipProgram"/> runs: a broker, an agent or a proxy.</summary>
internal interface IWhipProgram : IAsyncDisposable
{
    /// <summary>What <see cref="StartAsync"/> bound, in the order of the ready line.</summary>
    IReadOnlyList<BoundAddress> BoundAddresses { get; }

    /// <summary>Whether it serves: false while it starts and while it drains. Asked at any time, from any thread.</summary>
    bool IsReady { get; }

    /// <summary>Completes, with one line that says why, when the program cannot go on: it is then stopped, and its exit code is 1. Asked once, after the start.</summary>
    Task<string> GaveUp => new TaskCompletionSource<string>().Task;

    /// <exception cref="Protocol.Options.WhipOptionException">An option must change first.</exception>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Drains and stops within its own deadlines, or at once when <paramref name="cancellationToken"/> is cancelled.</summary>
    Task StopAsync(CancellationToken cancellationToken);
}
