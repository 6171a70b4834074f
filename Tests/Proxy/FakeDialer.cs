using System.Collections.Concurrent;
using System.Net;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Tests.Proxy;

/// <summary>Names that are real local listeners, or that fail as the test says. What it does not know is an unknown domain.</summary>
internal sealed class FakeDialer : IWhipDialer
{
    private readonly ConcurrentDictionary<string, Func<CancellationToken, Task<DialResult>>> _names = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Every dial, in order.</summary>
    public ConcurrentQueue<string> Dials { get; } = new();

    public void Map(string name, IPEndPoint service) =>
        _names[name] = async cancellationToken => DialResult.Connected(await Leg.ConnectAsync(service, cancellationToken));

    public void Fail(string name, DialOutcome outcome, string reason) => _names[name] = _ => Task.FromResult(DialResult.Failed(outcome, reason));

    public void Map(string name, Func<CancellationToken, Task<DialResult>> dial) => _names[name] = dial;

    public async ValueTask<DialResult> TryDialAsync(DialRequest request, CancellationToken cancellationToken = default)
    {
        var name = HostPort.Format(request.Host, request.Port);
        Dials.Enqueue(name);
        return _names.TryGetValue(name, out var dial)
            ? await dial(cancellationToken)
            : DialResult.Failed(DialOutcome.NoSuchDomain, $"{name} is unknown");
    }
}
