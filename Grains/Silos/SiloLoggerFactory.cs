namespace Whip.Grains.Silos;

/// <summary>
/// Logs errors of Orleans as warnings, because they are about networks, databases and silos that have gone, which a broker outlives, and its warnings
/// as debug messages. The broker itself logs what a user needs to know of silos.
/// </summary>
internal sealed class SiloLoggerFactory(ILoggerFactory inner) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new Logger(inner.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
        // The inner factory is the broker's.
    }

    private sealed class Logger(ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning && inner.IsEnabled(Level(logLevel));

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                inner.Log(Level(logLevel), eventId, state, exception, formatter);
            }
        }

        private static LogLevel Level(LogLevel logLevel) => logLevel == LogLevel.Warning ? LogLevel.Debug : LogLevel.Warning;
    }
}
