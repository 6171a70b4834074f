namespace Whip.Protocol.Kept;

/// <summary>The connections to one peer that are idle, being made, or waited for. Owner: the <see cref="KeptPool"/>.</summary>
internal sealed class KeptPeer
{
    /// <summary>The newest last.</summary>
    public List<KeptConnection> Idle { get; } = [];

    public LinkedList<KeptWaiter> Waiting { get; } = new();

    /// <summary>Connections that are being made.</summary>
    public int Openings { get; set; }

    /// <summary>False: it was none of the idle ones, or has been ended to free its place.</summary>
    public bool Remove(KeptConnection connection) => Idle.Remove(connection) && connection.Place?.Leave() != false;

    /// <summary>Gives a connection to the first that waits for one.</summary>
    public bool TryServe(KeptConnection connection)
    {
        for (var next = Waiting.First; next is not null; next = next.Next)
        {
            if (next.Value.MayReuse)
            {
                Waiting.Remove(next);
                next.Value.Served.SetResult(connection);
                return true;
            }
        }

        return false;
    }
}

/// <summary>A dial that waits for a connection, or for its turn to make one.</summary>
internal sealed class KeptWaiter(bool mayReuse)
{
    /// <summary>One that was used before will do.</summary>
    public bool MayReuse => mayReuse;

    /// <summary>With a connection, or with null for a turn.</summary>
    public TaskCompletionSource<KeptConnection?> Served { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
