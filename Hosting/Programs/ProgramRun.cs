using Microsoft.Extensions.Logging;
using Whip.Hosting.Flags;
using Whip.Hosting.Listening;
using Whip.Hosting.Metrics;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;

namespace Whip.Hosting.Programs;

/// <summary>One run of a program whose flags are valid.</summary>
internal sealed class ProgramRun(string name, FlagValues values, ILoggerFactory loggerFactory, ProgramTerminal terminal, StopSignals signals)
{
    // For a stopped program to release its sockets.
    private static readonly TimeSpan DisposeTimeout = TimeSpan.FromSeconds(5);

    private readonly ILogger _logger = loggerFactory.CreateLogger("Whip");
    private volatile IWhipProgram? _program;

    public async Task<int> RunAsync(Func<ProgramContext, IWhipProgram> create)
    {
        // From the first line on: without a handler the signal ends the process.
        using var reloads = terminal.OnReloadSignal?.Invoke(Reload);
        ProgramLog.Starting(_logger, BuildInfo.Describe(name));
        ProgramLog.Options(_logger, values.Summary);
        TellWayOut();
        WarnOfWildcards();
        OpenSslBuffers.Release();
        await using var traces = TraceExport.Start(name, terminal.Variable);
        try
        {
            var metrics = Prometheus.Metrics.NewCustomRegistry();
            var context = new ProgramContext(loggerFactory, metrics, DescriptorBudget.OfProcess(metrics), TimeProvider.System) { NameOf = values.NameOf };
            context.Descriptors.Require(DescriptorBudget.Least);
            var program = create(context);
            _program = program;
            try
            {
                await using var metricsPages = await StartMetricsPagesAsync(context, program);
                if (await ServeAsync(program, metricsPages) is { } reason)
                {
                    await terminal.Error.WriteLineAsync($"{name}: {reason}");
                    return 1;
                }
            }
            finally
            {
                await program.DisposeAsync().AsTask().WaitAsync(DisposeTimeout);
            }
        }
        catch (OperationCanceledException) when (signals.StopAtOnce.IsCancellationRequested)
        {
            await terminal.Error.WriteLineAsync($"{name}: a second signal stopped it at once");
            return 1;
        }
        catch (OperationCanceledException) when (signals.Stop.IsCancellationRequested)
        {
            // Stopped before it served.
        }
        catch (Exception e) when (e is not WhipOptionException)
        {
            ProgramLog.Crashed(_logger, e);
            return 1;
        }

        ProgramLog.Stopped(_logger);
        return 0;
    }

    private void Reload()
    {
        ProgramLog.Reloading(_logger);
        _program?.Reload();
    }

    /// <returns>Why the program gave up; null when a signal stopped it.</returns>
    private async Task<string?> ServeAsync(IWhipProgram program, WebPages? metricsPages)
    {
        await program.StartAsync(signals.Stop);
        var bound = program.BoundAddresses.ToList();
        if (metricsPages is not null)
        {
            bound.Add(new BoundAddress("metrics", metricsPages.LocalEndPoint));
        }

        var addresses = string.Join(' ', bound);
        ProgramLog.Serving(_logger, $"{program.Serves} {addresses}".Trim());
        await AnnounceAsync($"ready {addresses}".TrimEnd());

        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gaveUp = program.GaveUp;
        await using (signals.Stop.Register(stopped.SetResult))
        {
            await Task.WhenAny(stopped.Task, gaveUp);
        }

        ProgramLog.Stopping(_logger);
        await program.StopAsync(signals.StopAtOnce).WaitAsync(signals.StopAtOnce);
        signals.StopAtOnce.ThrowIfCancellationRequested();
        return stopped.Task.IsCompleted ? null : await gaveUp;
    }

    /// <summary>A program serves although its standard output is closed or full: the log has the addresses too.</summary>
    private async Task AnnounceAsync(string line)
    {
        try
        {
            await terminal.Output.WriteLineAsync(line);
            await terminal.Output.FlushAsync();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            ProgramLog.NoReadyLine(_logger, error.Message);
        }
    }

    private Task<WebPages?> StartMetricsPagesAsync(ProgramContext context, IWhipProgram program)
    {
        var port = new PortKind("metrics", $"the metrics port of {name} (--metrics-listen)", Visitor.Browser) { OnLeg = program.LegAtAnotherPort };
        return new PortBinder(_logger, context.Time, context.NameOf).BindAsync(
            nameof(ProgramOptions.MetricsListen), values.Program.MetricsListen, values.LoopbackOnly,
            endPoint => WebPages.StartAsync(
                port, endPoint, pages => MetricsPages.Map(pages, context.Metrics, () => program.IsReady), context.Descriptors, loggerFactory, context.Time,
                signals.Stop),
            signals.Stop);
    }

    private void TellWayOut()
    {
        if (values.Options.Via is { } via && WayOut.Of(via) is { Proxy: { } proxy } way)
        {
            ProgramLog.WayOut(_logger, $"{proxy}", values.NameOf(way.Source));
        }
    }

    private void WarnOfWildcards()
    {
        if (values.LoopbackOnly)
        {
            foreach (var (flag, address) in values.Wildcards)
            {
                ProgramLog.OpenWithoutTls(_logger, flag, address.ToString());
            }
        }
    }
}
