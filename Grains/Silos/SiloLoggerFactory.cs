using Whip.Protocol;

namespace Whip.Grains.Silos;

/// <summary>
/// What Orleans and the libraries beneath it log. Their errors are about networks, databases and silos that have gone, which a broker outlives, and often
/// come by the dozen: each category has one warning a minute, in one line without a stack. All of it, their warnings too, is debug. The broker itself logs
/// what a user needs to know of silos.
/// </summary>
internal sealed class SiloLoggerFactory(ILoggerFactory inner, TimeProvider time) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new Logger(inner.CreateLogger(categoryName), time);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
        // The inner factory is the broker's.
    }

    /// <summary>Orleans has stacks in messages too.</summary>
    public static string FirstLine(string message) => message.Split('\n')[0].TrimEnd();

    private sealed class Logger(ILogger inner, TimeProvider time) : ILogger
    {
        private const int MaxLength = 1024;

        private readonly LogRation _failures = new(1, count => SiloLog.MoreFailures(inner, count), time);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) =>
            logLevel >= LogLevel.Warning && inner.IsEnabled(logLevel == LogLevel.Warning ? LogLevel.Debug : LogLevel.Warning);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
            {
                return;
            }

            inner.Log(LogLevel.Debug, eventId, state, exception, formatter);
            if (logLevel > LogLevel.Warning && _failures.Take())
            {
                var (text, cause) = (FirstLine(formatter(state, exception)), FirstLine(exception?.GetBaseException().Message ?? ""));
                SiloLog.Failure(inner, Printable.Clean(text.Contains(cause, StringComparison.Ordinal) ? text : $"{text} ({cause})", MaxLength));
            }
        }
    }
}
