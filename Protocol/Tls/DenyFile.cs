using System.Collections.Concurrent;
using Whip.Protocol.Options;

namespace Whip.Protocol.Tls;

/// <summary>The deny list in force, and the connections that end when it comes to match their peer.</summary>
internal sealed class DenyFile
{
    private const string Option = $"{nameof(ICheckedOptions.Tls)}.{nameof(WhipTlsOptions.DenyPath)}";

    private readonly LiveFile<DenyList> _file;
    private readonly ConcurrentDictionary<Connection, byte> _connections = new();

    /// <exception cref="WhipOptionException">The file is missing or not valid.</exception>
    public DenyFile(string path)
    {
        Path = path;
        try
        {
            _file = new LiveFile<DenyList>([path], () => DenyList.Parse(File.ReadAllText(path)));
        }
        catch (Exception error) when (error is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new WhipOptionException(Option, path, error.Message, "one name pattern or ISSUER-KEY-ID:SERIAL per line");
        }
    }

    public string Path { get; }

    public int Count => _file.Value.Count;

    /// <summary>Why what the file holds now is not in force; null if it is.</summary>
    public string? Problem => _file.Problem;

    public bool Matches(PeerIdentity peer) => Matches(peer.Names, peer.Id);

    /// <inheritdoc cref="DenyList.Matches(IEnumerable{string}, string)"/>
    public bool Matches(IEnumerable<string> names, string? id) => _file.Value.Matches(names, id);

    /// <summary>Runs <paramref name="end"/> when the list comes to match the peer, until the result is disposed.</summary>
    public IDisposable Track(PeerIdentity peer, Action end) => Track(peer.Names, peer.Id, end);

    /// <summary>The same for a certificate that another has verified.</summary>
    public IDisposable Track(IReadOnlyCollection<string> names, string? id, Action end)
    {
        var connection = new Connection(this, names, id, end);
        _connections.TryAdd(connection, 0);

        // The list may have changed since the handshake.
        EndIfDenied(connection);
        return connection;
    }

    /// <summary>Reads the file if it has changed, and ends what it matches.</summary>
    public FileChange Look(bool atOnce)
    {
        var change = _file.Look(atOnce);
        if (change == FileChange.Taken)
        {
            foreach (var connection in _connections.Keys)
            {
                EndIfDenied(connection);
            }
        }

        return change;
    }

    private void EndIfDenied(Connection connection)
    {
        if (Matches(connection.Names, connection.Id))
        {
            connection.End();
        }
    }

    private sealed class Connection(DenyFile owner, IReadOnlyCollection<string> names, string? id, Action end) : IDisposable
    {
        public IReadOnlyCollection<string> Names => names;

        public string? Id => id;

        public void End() => end();

        public void Dispose() => owner._connections.TryRemove(this, out _);
    }
}
