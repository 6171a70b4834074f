using System.Security.Cryptography;
using System.Text;

namespace Whip.Protocol.Options;

/// <summary>
/// A value that is read from files, and read again when their content changes. Change notifications miss the links that an orchestrator replaces,
/// so the files are looked at. Content that cannot be used is refused, and the value before it stays.
/// </summary>
internal sealed class LiveFile<T>
    where T : class
{
    private readonly string[] _paths;
    private readonly Func<T> _read;
    private readonly Lock _lock = new();
    private volatile T _value;
    private volatile string? _problem;
    private byte[] _seen;
    private string? _unconfirmed;

    /// <param name="paths">The files that <paramref name="read"/> reads.</param>
    /// <param name="read">Makes the value; what it throws for content that cannot be used ends the constructor too.</param>
    public LiveFile(IEnumerable<string?> paths, Func<T> read)
    {
        _paths = [.. paths.OfType<string>()];
        _read = read;
        _seen = Fingerprint();
        _value = read();
    }

    public T Value => _value;

    /// <summary>Why what the files hold now is not in force; null if it is.</summary>
    public string? Problem => _problem;

    /// <summary>
    /// Reads the files if they have changed. Content at fault is reported when it is still there at the next look, because two files that belong
    /// together are not written at once; with <paramref name="atOnce"/> it is reported now.
    /// </summary>
    public FileChange Look(bool atOnce = false)
    {
        lock (_lock)
        {
            var seen = Fingerprint();
            var isUnchanged = seen.AsSpan().SequenceEqual(_seen);
            if (isUnchanged && _problem is null && _unconfirmed is null)
            {
                return FileChange.None;
            }

            _seen = seen;
            try
            {
                _value = _read();
                (_problem, _unconfirmed) = (null, null);
                return FileChange.Taken;
            }
            catch (Exception error) when (error is WhipOptionException or FormatException or IOException or UnauthorizedAccessException)
            {
                return Refuse(error.Message, isConfirmed: atOnce || (isUnchanged && error.Message == _unconfirmed));
            }
        }
    }

    private FileChange Refuse(string problem, bool isConfirmed)
    {
        _unconfirmed = problem;
        if (!isConfirmed || problem == _problem)
        {
            return FileChange.None;
        }

        _problem = problem;
        return FileChange.Refused;
    }

    private byte[] Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var path in _paths)
        {
            try
            {
                var content = File.ReadAllBytes(path);
                hash.AppendData(BitConverter.GetBytes(content.Length));
                hash.AppendData(content);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                hash.AppendData(Encoding.UTF8.GetBytes(error.GetType().Name));
            }
        }

        return hash.GetHashAndReset();
    }
}

/// <summary>What a look at files found.</summary>
internal enum FileChange
{
    None,

    /// <summary>New content is in force.</summary>
    Taken,

    /// <summary>New content cannot be used; told once.</summary>
    Refused,
}
