namespace Whip.Registry.Peers;

/// <summary>The other brokers of the cluster, as far as this one can talk to them.</summary>
internal interface IPeers
{
    /// <summary>Every other member, those that cannot be reached included. Replaced when something in it changed, never altered.</summary>
    IReadOnlyList<Peer> All { get; }

    /// <summary>Asks one broker what it holds under a name. Null: it is not linked, or did not answer in time.</summary>
    Task<NameReport?> LookupAsync(string brokerId, NameQuery query, CancellationToken cancellationToken);

    /// <summary>
    /// Asks every broker, those that come later included, to say when it holds the name or an instance of it as a domain, until
    /// disposed. A broker that holds it already says so at once; a lookup made after this call is answered after the watch stands.
    /// </summary>
    /// <param name="name">A normalised name.</param>
    /// <param name="announced">Told the id of a broker that holds the name; called again for each, from any thread.</param>
    IDisposable Watch(string name, Action<string> announced);
}
