using System.Diagnostics.CodeAnalysis;

namespace Whip.Protocol.Names;

/// <summary>
/// What is dialled: a name and a port. The text is read and normalised once, where it enters the program, and travels as this value from
/// there on, so that two spellings of a name are the same key, the same verdict of a policy and the same line in a log.
/// </summary>
internal readonly record struct DialTarget
{
    private DialTarget(string name, int port) => (Name, Port) = (name, port);

    /// <summary>An instance or a domain, in the form of <see cref="DnsName"/>.</summary>
    public string Name { get; }

    /// <summary>1 to 65535.</summary>
    public int Port { get; }

    /// <summary>Reads <c>name:port</c>. The problem is one line that quotes the text.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out DialTarget target, [NotNullWhen(false)] out string? problem)
    {
        if (HostPort.TrySplit(text, out var name, out var port) && port > 0)
        {
            return TryCreate(name, port, out target, out problem);
        }

        target = default;
        problem = $"\"{Printable.Clean(text.ToString())}\" is not host:port with a port of 1 to 65535";
        return false;
    }

    /// <inheritdoc cref="TryParse"/>
    public static bool TryCreate(string name, int port, out DialTarget target, [NotNullWhen(false)] out string? problem)
    {
        problem = !DnsName.TryNormalize(name, out var normalized) ? $"\"{Printable.Clean(name)}\" is not a DNS name"
            : port is < 1 or > 65535 ? $"port {port} is not 1 to 65535"
            : null;
        target = problem is null ? new DialTarget(normalized, port) : default;
        return problem is null;
    }

    /// <summary>A name and a port that are known to be valid.</summary>
    /// <exception cref="ArgumentException">They are not.</exception>
    public static DialTarget Of(string name, int port) =>
        TryCreate(name, port, out var target, out var problem) ? target : throw new ArgumentException(problem, nameof(name));

    public override string ToString() => $"{Name}:{Port}";
}
