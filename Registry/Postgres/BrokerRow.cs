using Whip.Registry.Membership;

namespace Whip.Registry.Postgres;

/// <summary>A broker as its row tells it. All times are the database's own.</summary>
/// <param name="Member">Never suspect: that is for the reader to judge.</param>
/// <param name="Lease">When it was last renewed.</param>
/// <param name="Age">How long ago that was when the row was read.</param>
internal readonly record struct BrokerRow(BrokerMember Member, DateTime Lease, TimeSpan Age);
