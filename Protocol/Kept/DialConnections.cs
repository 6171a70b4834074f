using Whip.Protocol.Connect;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Protocol.Kept;

/// <summary>Where one dial has its connections from: kept ones, until one of them turns out to be stale, and new ones.</summary>
/// <param name="identity">What they show; null: they are plain.</param>
/// <param name="connect">Makes new ones.</param>
/// <param name="pool">Keeps them; null: none is kept.</param>
/// <param name="time">The clock.</param>
internal sealed class DialConnections(TlsIdentity? identity, Func<KeptKey, CancellationToken, Task<Leg>> connect, KeptPool? pool, TimeProvider time)
{
    private bool _mayReuse = true;

    /// <summary>What new ones show; null: they are plain.</summary>
    public TlsIdentity? Identity => identity;

    public TimeProvider Time => time;

    /// <summary>For one request; null if connections are not kept.</summary>
    public string? DrawKeep() => pool is null ? null : KeepToken.Draw();

    /// <exception cref="System.Net.Sockets.SocketException">Nobody answers.</exception>
    /// <exception cref="LegHandshakeException">The handshake or the broker's certificate was refused.</exception>
    /// <param name="front">The broker's dial front.</param>
    /// <param name="awaiting">Told what comes next.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<KeptConnection> ReachAsync(KeptKey front, Action<string> awaiting, CancellationToken cancellationToken)
    {
        if (pool is null)
        {
            return await OpenAsync(front, awaiting, cancellationToken).ConfigureAwait(false);
        }

        if (await pool.TakeAsync(front, _mayReuse, cancellationToken).ConfigureAwait(false) is { } kept)
        {
            return kept;
        }

        try
        {
            return await OpenAsync(front, awaiting, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            pool.Opened(front);
        }
    }

    /// <summary>The stream of a dial whose broker keeps the connection.</summary>
    public AskingStream Stream(KeptConnection connection) => new(connection.Leg, time, () => GiveBack(connection));

    public void GiveBack(KeptConnection connection) => pool!.GiveBack(connection);

    /// <summary>The connection is stale. No other kept one is tried by this dial.</summary>
    public void Drop(KeptConnection connection)
    {
        _mayReuse = false;
        pool!.Drop(connection);
    }

    private async Task<KeptConnection> OpenAsync(KeptKey front, Action<string> awaiting, CancellationToken cancellationToken)
    {
        var shown = pool?.Shown;
        var leg = await connect(front, cancellationToken).ConfigureAwait(false);
        try
        {
            if (identity is not null)
            {
                awaiting("TLS handshake with");
                await leg.AuthenticateAsClientAsync(identity, front.Address.Host, cancellationToken, front.Address.Port).ConfigureAwait(false);
                if (front.BrokerUri is { } uri && leg.Peer?.IsBroker(uri) != true)
                {
                    throw new LegHandshakeException($"{front.Address} shows a certificate of {leg.Peer}, not of {uri}");
                }
            }

            return new KeptConnection(leg, front, shown, time);
        }
        catch
        {
            leg.Abort();
            throw;
        }
    }
}
