using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Whip.Tests.Hosting.Grpc;

/// <summary>The log of a control server, line by line; what is an error has to be declared by looking at it.</summary>
internal sealed class ControlLogs : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Line)> _lines = new();
    private readonly SemaphoreSlim _added = new(0);

    /// <summary>The next line at Information or above.</summary>
    public async Task<string> NextAsync()
    {
        Assert.True(await _added.WaitAsync(TimeSpan.FromSeconds(20)), "no log line came");
        return _lines.TryDequeue(out var line) ? $"{line.Level}: {line.Line}" : "";
    }

    public void AssertEmpty() => Assert.Empty(_lines);

    public void AssertNoErrors() => Assert.DoesNotContain(_lines, line => line.Level >= LogLevel.Error);

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            _lines.Enqueue((logLevel, formatter(state, exception)));
            _added.Release();
        }
    }

    public void Dispose() => _added.Dispose();
}
