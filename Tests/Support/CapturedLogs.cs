using Microsoft.Extensions.Logging;

namespace Whip.Tests.Support;

/// <summary>
/// Keeps every log record of what a test runs, whether passed as factory or added to a host as provider. Disposing it fails the test if
/// there is an error (or worse) the test did not declare.
/// </summary>
internal sealed class CapturedLogs : ILoggerFactory, ILoggerProvider
{
    private readonly Lock _gate = new();
    private readonly List<CapturedRecord> _records = [];
    private readonly List<(Func<CapturedRecord, bool> Matches, TaskCompletionSource<CapturedRecord> Found)> _waiting = [];
    private readonly List<Func<CapturedRecord, bool>> _expected = [];

    public IReadOnlyList<CapturedRecord> Records
    {
        get
        {
            lock (_gate)
            {
                return [.. _records];
            }
        }
    }

    /// <summary>Declares errors of this event, which may come or not.</summary>
    public void Expect(string eventName) => Expect(r => r.Event.Name == eventName);

    public void Expect(Func<CapturedRecord, bool> matches)
    {
        lock (_gate)
        {
            _expected.Add(matches);
        }
    }

    public void AssertNoUndeclaredErrors()
    {
        lock (_gate)
        {
            var undeclared = _records.Where(r => r.Level >= LogLevel.Error && !_expected.Any(matches => matches(r))).ToArray();
            Assert.True(undeclared.Length == 0, $"undeclared errors were logged:\n{string.Join('\n', undeclared.AsEnumerable())}");
        }
    }

    /// <summary>The first record of this event, past or to come.</summary>
    public Task<CapturedRecord> WaitForAsync(string eventName) => WaitForAsync(r => r.Event.Name == eventName, eventName);

    public async Task<CapturedRecord> WaitForAsync(Func<CapturedRecord, bool> matches, string what)
    {
        var found = new TaskCompletionSource<CapturedRecord>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_records.Find(r => matches(r)) is { } record)
            {
                return record;
            }

            _waiting.Add((matches, found));
        }

        await Task.WhenAny(found.Task, Task.Delay(Patience.Long));
        Assert.True(found.Task.IsCompleted, $"never logged: {what}; but:\n{string.Join('\n', Records)}");
        return await found.Task;
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose() => AssertNoUndeclaredErrors();

    private void Add(CapturedRecord record)
    {
        lock (_gate)
        {
            _records.Add(record);
            foreach (var waiting in _waiting.Where(w => w.Matches(record)))
            {
                waiting.Found.TrySetResult(record);
            }
        }
    }

    private sealed class Logger(CapturedLogs logs, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            logs.Add(new CapturedRecord(logLevel, category, eventId, formatter(state, exception), exception));
    }
}

internal sealed record CapturedRecord(LogLevel Level, string Category, EventId Event, string Message, Exception? Exception)
{
    public override string ToString() => $"{Level} {Category} {Event.Name}: {Message}{(Exception is null ? "" : $"\n{Exception}")}";
}
