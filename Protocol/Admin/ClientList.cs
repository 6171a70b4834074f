namespace Whip.Protocol.Admin;

/// <summary>The answer of <c>/api/clients</c>: the streams one broker holds.</summary>
/// <param name="BrokerId">The broker.</param>
/// <param name="Total">How many match, those beyond the limit included.</param>
/// <param name="Clients">By name.</param>
internal sealed record ClientList(string BrokerId, int Total, IReadOnlyList<StreamStatus> Clients)
{
    /// <summary>How many can be asked for at once.</summary>
    public const int MaxLimit = 100_000;
}
