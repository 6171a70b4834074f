using System.Diagnostics;
using Whip.Protocol.Names;

namespace Whip.Protocol.Dialing;

/// <summary>
/// The spans of dials: one tree over the dialer, the brokers and the agent. None is made unless somebody listens in this process; then a context that
/// came with the dial is passed on as it is.
/// </summary>
internal static class DialTrace
{
    /// <summary>Of the <see cref="ActivitySource"/>.</summary>
    public const string SourceName = "Whip";

    /// <summary>In a CONNECT: https://www.w3.org/TR/trace-context/.</summary>
    public const string Header = "traceparent";

    // Of version 00, the only one there is.
    private const int Length = 55;

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>What a dial goes on with in this process.</summary>
    /// <param name="name">Of the span.</param>
    /// <param name="kind">Whose side it is.</param>
    /// <param name="target">What is dialled.</param>
    /// <param name="parent">A traceparent that came with the dial; null: what this process does already.</param>
    public static Activity? Begin(string name, ActivityKind kind, DialTarget target, string? parent = null)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var span = ActivityContext.TryParse(parent, null, isRemote: true, out var context)
            ? Source.StartActivity(name, kind, context)
            : Source.StartActivity(name, kind);
        return span?.SetTag("server.address", target.Name).SetTag("server.port", target.Port);
    }

    /// <summary>A part of what <see cref="Activity.Current"/> is.</summary>
    public static Activity? Phase(string name) => Source.HasListeners() ? Source.StartActivity(name) : null;

    /// <summary>At the agent, where it is the broker's phase that goes on.</summary>
    /// <param name="name">Of the span.</param>
    /// <param name="parent">Of the Connect.</param>
    /// <param name="port">The published port.</param>
    public static Activity? Served(string name, string parent, uint port) =>
        Source.HasListeners() && ActivityContext.TryParse(parent, null, isRemote: true, out var context)
            ? Source.StartActivity(name, ActivityKind.Server, context)?.SetTag("server.port", port)
            : null;

    public static void Ended(this Activity? span, DialOutcome outcome, string reason)
    {
        if (span is not null)
        {
            span.SetTag("whip.outcome", outcome.ToString());
            span.SetStatus(outcome is DialOutcome.Connected or DialOutcome.Redirected ? ActivityStatusCode.Ok : ActivityStatusCode.Error, reason);
        }
    }

    /// <summary>What to send with a dial.</summary>
    /// <param name="received">What came with it, for a process in which nobody listens.</param>
    public static string? ToSend(string? received = null) =>
        Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id } ? (received is null || Source.HasListeners() ? id : received) : received;

    /// <summary>A header that is none counts as missing, as the specification has it.</summary>
    public static string? Valid(string[] headers) =>
        headers is [{ Length: Length } header] && ActivityContext.TryParse(header, null, out _) ? header : null;
}
