using System.Buffers;
using Whip.Protocol.Messages;

namespace Whip.Agent.Legs;

/// <summary>Which dials a broker may ask for, on its control stream and on a leg alike.</summary>
internal sealed class ConnectRules(AgentContext context)
{
    // Ours are 32 characters, the original's 36.
    private const int MaxIdLength = 64;

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:");

    private static readonly TimeSpan MaxDeadline = TimeSpan.FromMinutes(1);

    /// <summary>Why the dial is not even tried; null if it may be.</summary>
    public string? Refusal(Connect connect) =>
        !IsId(connect.ConnectionID) ? "connection id: not one"
        : !context.Settings.Ports.ContainsKey((int)connect.LocalPort) ? $"local port {connect.LocalPort}: not published"
        : !context.Settings.AllowsDialer(connect.Dialer) ? "dialer: not allowed"
        : context.Identity?.Denied?.Matches(connect.Dialer, connect.DialerId) == true ? "dialer: denied"
        : null;

    /// <summary>Counts a refusal, and logs it if there are not too many.</summary>
    public void Refused(string refusal)
    {
        if (context.Refusals.Take())
        {
            LegLog.Refused(context.Log, refusal);
        }

        context.LegMetrics.Connect(ConnectOutcome.Refused);
    }

    public TimeSpan DeadlineOf(Connect connect) =>
        connect.Deadline == 0 ? context.Limits.DialDeadline : TimeSpan.FromMilliseconds(Math.Min(connect.Deadline, MaxDeadline.TotalMilliseconds));

    /// <summary>An id goes back in a preamble of JSON, where nothing of it may need escaping.</summary>
    private static bool IsId(string id) => id.Length is > 0 and <= MaxIdLength && !id.AsSpan().ContainsAnyExcept(IdCharacters);
}
