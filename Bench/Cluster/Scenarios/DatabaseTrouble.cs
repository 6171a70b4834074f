namespace Whip.Bench.Cluster.Scenarios;

/// <summary>What happens to the database.</summary>
internal enum DatabaseTrouble
{
    /// <summary>Stopped as an administrator does.</summary>
    Stop,

    /// <summary>SIGKILL to all of it.</summary>
    Kill,

    /// <summary>The schema of the brokers is dropped.</summary>
    Empty,
}
