using Whip.Protocol.Tls;

namespace Whip.Hosting.Flags;

/// <summary>What one start of a program was told.</summary>
internal sealed class FlagValues(CommonFlags common, IReadOnlyDictionary<Flag, object?> values)
{
    /// <summary>Help or the version, to be printed instead of starting; then there are no values.</summary>
    public string? Answer { get; init; }

    public WhipTlsOptions TlsOptions => common.TlsOptions(this);

    /// <summary>For <see cref="ListenAddress.Resolve"/>: without TLS, <c>:PORT</c> is the loopback interface.</summary>
    public bool LoopbackOnly => !Get(common.Tls);

    /// <summary>The addresses to listen on, but for the metrics, that are spelled out as all interfaces; by flag.</summary>
    public IEnumerable<(string Flag, ListenAddress Address)> Wildcards =>
        from pair in values
        let address = pair.Value as ListenAddress
        where address is { IsWildcard: true } && pair.Key != common.MetricsListen
        select ($"--{pair.Key.Name}", address);

    public T Get<T>(Flag<T> flag) => (T)values[flag]!;
}
