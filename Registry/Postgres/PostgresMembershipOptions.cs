namespace Whip.Registry.Postgres;

/// <summary>How a broker keeps its lease in PostgreSQL. A class, not a record: nothing may print the connection string.</summary>
internal sealed class PostgresMembershipOptions
{
    /// <summary>What WHIP_POSTGRES holds: <c>Host=…;Username=…;Password=…;Database=…</c> or <c>postgres://user:password@host/database</c>.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>Clusters with different ids share a database and do not see each other.</summary>
    public string ClusterId { get; init; } = "whip";

    public TimeSpan RenewInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A lease not renewed for this long is stale. Four renewals; one that hangs until its timeout still leaves time for the next.</summary>
    public TimeSpan SuspectAfter { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>A broker whose lease was not renewed for this long is no member.</summary>
    public TimeSpan DropAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// For this long after the database came back no lease is judged, since the others have to come back too. More than
    /// <see cref="RetryMost"/> and the connect timeout together.
    /// </summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For connecting (whole seconds, at least one) and for each round trip.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The shortest pause between two attempts to reach the database.</summary>
    public TimeSpan RetryLeast { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest pause, after a few failures in a row.</summary>
    public TimeSpan RetryMost { get; init; } = TimeSpan.FromSeconds(5);
}
