using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Whip.Protocol;

namespace Whip.Hosting.Listening;

/// <summary>A ration of lines for each listener.</summary>
internal sealed class LogRations(ILogger logger, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, LogRation> _byListener = new();

    public bool Take(string listener) => _byListener
        .GetOrAdd(listener, name => new LogRation(LogRation.Named, count => ListeningLog.MoreRefused(logger, name, count), time))
        .Take();
}
