using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Whip.Hosting.Listening;

/// <summary>
/// Builds web hosts inside a program or a library. They read no configuration, do not handle signals, and log warnings and errors to the
/// given factory. They do not log an <see cref="IOException"/> or a <see cref="SocketException"/>: it is the failure of a peer's connection, or
/// of a bind, which is also thrown to the caller, as the cancellation of a start is.
/// </summary>
internal static class InnerHost
{
    /// <summary>A host with only Kestrel and routing.</summary>
    public static WebApplicationBuilder CreateBuilder(ILoggerFactory loggers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NullLifetime>();
        builder.Services.AddSingleton<ILoggerFactory>(new WarningLoggerFactory(loggers));
        return builder;
    }

    private sealed class NullLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class WarningLoggerFactory(ILoggerFactory inner) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => new WarningLogger(inner.CreateLogger(categoryName));

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
            // The inner factory is the caller's.
        }
    }

    private sealed class WarningLogger(ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning && inner.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Warning && exception is not (IOException or SocketException or OperationCanceledException))
            {
                inner.Log(logLevel, eventId, state, exception, formatter);
            }
        }
    }
}
