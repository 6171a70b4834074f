using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Whip.Broker.Listening;
using Whip.Grains.Silos;

namespace Whip.Broker.Cluster;

/// <summary>
/// The gate of the silo's listener and of the gateway's. Orleans waits for the preamble of a connection without a limit; here a connection that does not
/// send it whole is closed, before or after its handshake. Agents, dialers and browsers are told where they are.
/// </summary>
internal sealed class SiloAdmission(
    bool isTls, PortKind port, DescriptorBudget descriptors, WhipLimits limits, ListenerMetrics metrics, ILoggerFactory loggers, TimeProvider time)
{
    /// <summary>The name of the listener in logs and metrics.</summary>
    public const string Name = "silo";

    // Of Orleans.
    private const int MaxPreamble = 1024;

    private const string OnlyBrokers = "only brokers of the cluster connect here (--silo-listen)";

    private readonly ILogger _logger = loggers.CreateLogger("Whip.Broker");
    private readonly LogRations _refusals = new(loggers.CreateLogger("Whip.Broker"), time);

    // A broker of another cluster tries again every second, for ever.
    private readonly LogRation _foreigners = new(1, count => ListenerLog.MoreForeigners(loggers.CreateLogger("Whip.Broker"), count), time);
    private readonly object _hasHandshake = new();

    public GatedTransport Transport { get; } = new(
        Name, new UnauthenticatedGate(limits.UnauthenticatedConnections, descriptors), descriptors, () => metrics.Rejected(Name, "evicted"), loggers, time);

    /// <summary>Connection middleware in front of TLS.</summary>
    public ConnectionDelegate Guard(ConnectionDelegate next) => async connection =>
    {
        if (!await IsWelcomeAsync(connection))
        {
            return;
        }

        await next(connection);
        if (isTls && !connection.Items.ContainsKey(_hasHandshake) && !connection.Features.GetRequiredFeature<UnauthenticatedGate.Entry>().IsEvicted)
        {
            RefuseCertificate(connection);
        }
    };

    /// <summary>Connection middleware behind TLS, if there is TLS.</summary>
    public ConnectionDelegate Use(ConnectionDelegate next) => async connection =>
    {
        connection.Items[_hasHandshake] = true;
        using (var deadline = new Deadline(limits.HandshakeTimeout, time, connection.ConnectionClosed))
        {
            try
            {
                await WaitForPreambleAsync(connection.Transport.Input, deadline.Token);
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

    /// <summary>The preamble is its length, in four bytes, and that much. It stays in the pipe. A length that is none is for Orleans to refuse.</summary>
    private static async Task WaitForPreambleAsync(PipeReader input, CancellationToken deadline)
    {
        while (true)
        {
            var read = await input.ReadAsync(deadline);
            var buffer = read.Buffer;
            if (HasPreamble(buffer) || read.IsCompleted)
            {
                input.AdvanceTo(buffer.Start);
                return;
            }

            input.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private static bool HasPreamble(ReadOnlySequence<byte> bytes)
    {
        var reader = new SequenceReader<byte>(bytes);
        return reader.TryReadLittleEndian(out int length) && (length is < 0 or > MaxPreamble || reader.Remaining >= length);
    }

    /// <summary>Whether it may be a silo. If not, it is told where it is.</summary>
    private async Task<bool> IsWelcomeAsync(ConnectionContext connection)
    {
        using var deadline = new Deadline(limits.HandshakeTimeout, time, connection.ConnectionClosed);
        try
        {
            var visitor = await WrongPort.LookAsync(connection.Transport.Input, port, deadline.Token);
            if (!IsStranger(visitor))
            {
                return true;
            }

            Refuse(connection, port.Reason(visitor), _refusals.Take(Name));
            await WrongPort.TellAsync(connection, visitor, port.Hint(visitor), deadline.Token);
            await EndAsync(connection.Transport, deadline.Token);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            if (deadline.HasPassed)
            {
                metrics.Rejected(Name, "timeout");
            }

            connection.Abort(new ConnectionAbortedException("silent"));
        }

        return false;
    }

    /// <summary>Orleans aborts a connection whose middleware returns, also with bytes to send.</summary>
    private static async Task EndAsync(IDuplexPipe transport, CancellationToken deadline)
    {
        await transport.Output.CompleteAsync();
        ReadResult result;
        do
        {
            result = await transport.Input.ReadAsync(deadline);
            transport.Input.AdvanceTo(result.Buffer.End);
        }
        while (!result.IsCompleted);
    }

    private bool IsStranger(Visitor visitor) => visitor != (isTls ? Visitor.Tls : Visitor.Unknown);

    private void RefuseCertificate(ConnectionContext connection)
    {
        if (SiloTls.RefusalOf(connection) is { } problem)
        {
            Refuse(connection, $"{problem}; {OnlyBrokers}", _foreigners.Take());
        }
        else
        {
            Refuse(connection, $"its TLS handshake failed: {OnlyBrokers}; {port.Reason(Visitor.Unknown)}", _refusals.Take(Name));
        }
    }

    private void Refuse(ConnectionContext connection, string reason, bool isLogged)
    {
        metrics.Rejected(Name, "refused");
        if (isLogged)
        {
            ListenerLog.LegRefused(_logger, Name, Leg.Unmapped(connection.RemoteEndPoint!), reason);
        }
    }
}
