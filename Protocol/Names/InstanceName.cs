namespace Whip.Protocol.Names;

/// <summary>One registered <c>hostname.domain</c>, normalised: the hostname is the first label, the domain the rest.</summary>
internal readonly record struct InstanceName
{
    private InstanceName(string fullName)
    {
        FullName = fullName;
        var dot = fullName.IndexOf('.');
        Hostname = fullName[..dot];
        Domain = fullName[(dot + 1)..];
    }

    public string FullName { get; }

    public string Hostname { get; }

    public string Domain { get; }

    /// <summary>Parses a whole name; it needs at least two labels.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out InstanceName name)
    {
        name = default;
        if (!DnsName.TryNormalize(text, out var normalized) || !normalized.Contains('.'))
        {
            return false;
        }

        name = new InstanceName(normalized);
        return true;
    }

    /// <summary>Joins the two fields of a Register message; the hostname must be a single label.</summary>
    public static bool TryCreate(string hostname, string domain, out InstanceName name)
    {
        name = default;
        return DnsName.IsLabel(hostname) && domain.Length <= DnsName.MaxLength && TryParse($"{hostname}.{domain}", out name);
    }

    public override string ToString() => FullName;
}
