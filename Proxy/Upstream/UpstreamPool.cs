using System.Net.Security;
using System.Security.Authentication;
using Whip.Protocol.Dialing;
using Whip.Proxy.Http;

namespace Whip.Proxy.Upstream;

/// <summary>Keeps connections to upstreams for their next request. Owner of the order: the lock.</summary>
internal sealed class UpstreamPool(IWhipDialer dialer, TimeSpan dialDeadline, TimeProvider time) : IAsyncDisposable
{
    // Each holds a relay at a broker and a connection at a service: enough for a busy client, few beside what a broker carries.
    private const int MaxIdle = 256;
    private const int MaxIdlePerName = 32;

    // As in the original.
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(90);

    // Then the next request dials again, and a domain's requests spread over its instances as they are now.
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<Key, List<UpstreamConnection>> _idle = [];
    private ITimer? _sweep;
    private int _count;
    private bool _closed;

    /// <summary>Idle connections.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>The idle connection that was used last; null when there is none.</summary>
    public UpstreamConnection? TakeIdle(ForwardTarget target)
    {
        var key = Key.Of(target);
        lock (_lock)
        {
            while (_idle.TryGetValue(key, out var list))
            {
                var connection = list[^1];
                Remove(key, list, connection);
                if (!connection.Http.Ahead!.IsCompleted)
                {
                    return connection;
                }

                connection.Http.Dispose();
            }
        }

        return null;
    }

    /// <summary>A new connection; without one the result says why.</summary>
    public async Task<(UpstreamConnection? Connection, DialResult? Failed)> DialAsync(ForwardTarget target, CancellationToken cancellationToken)
    {
        var dialled = await dialer.TryDialAsync(new DialRequest(target.Host, target.Port) { Deadline = dialDeadline }, cancellationToken);
        if (!dialled.IsConnected)
        {
            return (null, dialled);
        }

        var beneath = dialled.Stream;
        if (!target.IsTls)
        {
            return (new UpstreamConnection(new HttpStream(beneath, beneath), time.GetTimestamp()), null);
        }

        var tls = new SslStream(beneath);
        using var timeout = new CancellationTokenSource(dialDeadline, time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = target.Host }, deadline.Token);
            return (new UpstreamConnection(new HttpStream(beneath, tls), time.GetTimestamp()), null);
        }
        catch (Exception error) when (error is AuthenticationException or IOException or OperationCanceledException)
        {
            beneath.Abort();
            await tls.DisposeAsync();
            cancellationToken.ThrowIfCancellationRequested();
            return (null, DialResult.Failed(DialOutcome.AgentFailed, $"TLS with {target.Name} failed: {error.Message}"));
        }
    }

    /// <summary>Takes back a connection whose exchange has ended; one that cannot be used again is ended too.</summary>
    public void Return(ForwardTarget target, UpstreamConnection connection, bool isGood)
    {
        var key = Key.Of(target);
        lock (_lock)
        {
            if (isGood && !_closed && _count < MaxIdle && time.GetElapsedTime(connection.OpenedAt) < Lifetime)
            {
                if (!_idle.TryGetValue(key, out var list))
                {
                    _idle.Add(key, list = []);
                }

                if (list.Count < MaxIdlePerName)
                {
                    list.Add(connection);
                    _count++;
                    _sweep ??= time.CreateTimer(static state => ((UpstreamPool)state!).Sweep(), this, IdleTimeout / 3, IdleTimeout / 3);
                    _ = DropWhenEndedAsync(key, connection, connection.BecomeIdle(time.GetTimestamp()));
                    return;
                }
            }
        }

        connection.Http.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        List<UpstreamConnection> idle;
        lock (_lock)
        {
            _closed = true;
            idle = [.. _idle.Values.SelectMany(list => list)];
            _idle.Clear();
            _count = 0;
        }

        if (_sweep is not null)
        {
            await _sweep.DisposeAsync();
        }

        idle.ForEach(connection => connection.Http.Dispose());
    }

    private void Remove(Key key, List<UpstreamConnection> list, UpstreamConnection connection)
    {
        list.Remove(connection);
        _count--;
        if (list.Count == 0)
        {
            _idle.Remove(key);
        }
    }

    private async Task DropWhenEndedAsync(Key key, UpstreamConnection connection, Task ahead)
    {
        await ahead.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
        {
            // It may have been taken, used and returned since: then another reader watches it.
            if (connection.Http.Ahead != ahead || !_idle.TryGetValue(key, out var list) || !list.Contains(connection))
            {
                return;
            }

            Remove(key, list, connection);
            connection.Http.Dispose();
        }
    }

    private void Sweep()
    {
        lock (_lock)
        {
            foreach (var (key, list) in _idle.ToArray())
            {
                foreach (var connection in list.ToArray())
                {
                    if (time.GetElapsedTime(connection.IdleSince) >= IdleTimeout || time.GetElapsedTime(connection.OpenedAt) >= Lifetime)
                    {
                        Remove(key, list, connection);
                        connection.Http.Dispose();
                    }
                }
            }
        }
    }

    private readonly record struct Key(string Host, int Port, bool IsTls)
    {
        public static Key Of(ForwardTarget target) => new(target.Host.ToLowerInvariant(), target.Port, target.IsTls);
    }
}
