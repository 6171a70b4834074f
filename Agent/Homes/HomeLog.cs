using Microsoft.Extensions.Logging;
using Whip.Protocol.Names;

namespace Whip.Agent.Homes;

internal static partial class HomeLog
{
    [LoggerMessage(303, LogLevel.Error, "the agent has failed and cannot continue normally")]
    public static partial void Faulted(ILogger log, Exception exception);

    [LoggerMessage(310, LogLevel.Information, "{Endpoint} is at {Addresses}")]
    public static partial void Resolved(ILogger log, HostPort endpoint, string addresses);

    [LoggerMessage(311, LogLevel.Warning, "cannot look up {Endpoint}: {Reason}; keeping the {Known} addresses known")]
    public static partial void LookupFailed(ILogger log, HostPort endpoint, string reason, int known);

    [LoggerMessage(312, LogLevel.Warning, "cannot look up {Endpoint}: {Reason}; the proxy is asked for it by its name")]
    public static partial void ByName(ILogger log, HostPort endpoint, string reason);

    [LoggerMessage(321, LogLevel.Warning, "no control stream to {Home}: {Reason}{Advice}; retrying")]
    public static partial void Lost(ILogger log, HomeAddress home, string reason, string advice);

    [LoggerMessage(329, LogLevel.Information, "no control stream to {Home} yet: {Reason}; retrying")]
    public static partial void NotYet(ILogger log, HomeAddress home, string reason);

    [LoggerMessage(322, LogLevel.Debug, "still no control stream to {Home}: {Reason}; failure {Failures}, next try in {Seconds} s")]
    public static partial void StillLost(ILogger log, HomeAddress home, string reason, int failures, double seconds);

    [LoggerMessage(325, LogLevel.Information, "{Address} leads to a broker that another address leads to; one control stream is kept")]
    public static partial void Alias(ILogger log, HostPort address);

    [LoggerMessage(327, LogLevel.Information, "{Home}: a new control stream, with the certificates of now, has replaced the old one")]
    public static partial void Renewed(ILogger log, HomeAddress home);

    [LoggerMessage(328, LogLevel.Warning, "{Home}: the certificates have changed or end soon, but no new control stream stands: {Reason}; the old one stays")]
    public static partial void NotRenewed(ILogger log, HomeAddress home, string reason);

    [LoggerMessage(326, LogLevel.Information, "the brokers of the cluster are {Members}")]
    public static partial void Members(ILogger log, string members);
}
