using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Whip.Broker.Listening;

namespace Whip.Broker.Cluster;

/// <summary>
/// The gate of the silo's listener and of the gateway's. Orleans waits for the first bytes of a connection without a limit; here a connection that is
/// silent after its handshake is closed.
/// </summary>
internal sealed class SiloAdmission(DescriptorBudget descriptors, WhipLimits limits, ListenerMetrics metrics, ILoggerFactory loggers, TimeProvider time)
{
    private const string Name = "silo";

    public GatedTransport Transport { get; } = new(
        Name, new UnauthenticatedGate(limits.UnauthenticatedConnections, descriptors), descriptors, () => metrics.Rejected(Name, "evicted"), loggers, time);

    /// <summary>Connection middleware behind TLS, if there is TLS.</summary>
    public ConnectionDelegate Use(ConnectionDelegate next) => async connection =>
    {
        using (var deadline = new Deadline(limits.HandshakeTimeout, time, connection.ConnectionClosed))
        {
            try
            {
                var first = await connection.Transport.Input.ReadAsync(deadline.Token);
                connection.Transport.Input.AdvanceTo(first.Buffer.Start);
            }
            catch (OperationCanceledException)
            {
                metrics.Rejected(Name, "timeout");
                connection.Abort(new ConnectionAbortedException("silent"));
                return;
            }
        }

        connection.Features.GetRequiredFeature<UnauthenticatedGate.Entry>().Leave();
        await next(connection);
    };
}
