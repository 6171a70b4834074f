namespace Whip.Broker.ControlStreams;

/// <summary>What the pings of one stream tell.</summary>
/// <param name="Age">Since the registration.</param>
/// <param name="RoundTrip">Of the last ping that was answered; null before the first.</param>
/// <param name="SincePong">Since that answer.</param>
internal readonly record struct PingReading(TimeSpan Age, TimeSpan? RoundTrip, TimeSpan? SincePong);
