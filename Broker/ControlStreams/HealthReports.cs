using System.Collections.Frozen;
using Grpc.Core;
using Whip.Protocol.ControlStreams;
using Whip.Protocol.Messages;

namespace Whip.Broker.ControlStreams;

/// <summary>Takes what agents say of the services behind their ports. Nothing of it is text, and a change is taken only so often.</summary>
internal sealed class HealthReports
{
    private readonly IClientRegistry _registry;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly LogRation _lines;

    public HealthReports(IClientRegistry registry, LiveStreams streams, ControlStreamMetrics metrics, ILogger logger, TimeProvider time)
    {
        (_registry, _logger, _time) = (registry, logger, time);
        _lines = new LogRation(LogRation.Named, count => ControlStreamLog.MoreHealth(logger, count), time);
        metrics.CountUnhealthy(streams);
    }

    /// <summary>What a Register says. Null: it speaks of a port that it does not publish.</summary>
    public static IReadOnlyDictionary<int, PortFailure>? Read(Register register, DateTimeOffset now)
    {
        var failing = new Dictionary<int, PortFailure>();
        foreach (var health in register.Health)
        {
            if (!register.Ports.Contains(health.Port))
            {
                return null;
            }

            Set(failing, (int)health.Port, Read(health, now));
        }

        return failing.ToFrozenDictionary();
    }

    /// <summary>A message of a stream. Not concurrently for one stream.</summary>
    /// <exception cref="RpcException">What the stream ends with: the port is not published, or there are too many changes.</exception>
    public void Told(AgentStream agent, Health health)
    {
        var route = agent.Route;
        var port = (int)health.Port;
        if (!route.Publishes(port))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"health of port {health.Port}, which {route.Name} does not publish"));
        }

        var (before, failure) = (route.Failing.GetValueOrDefault(port), Read(health, _time.GetUtcNow()));
        if (failure?.Check == before?.Check && failure?.Reason == before?.Reason)
        {
            return;
        }

        if (!agent.HealthChanges.TryTake())
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, "the health of the agent's ports changes too often"));
        }

        var failing = new Dictionary<int, PortFailure>(route.Failing);
        Set(failing, port, failure);
        agent.Route = route with { Failing = failing.ToFrozenDictionary() };
        _registry.Update(agent.Route);
        if (_lines.Take())
        {
            Log(route.Name, port, before, failure);
        }
    }

    private static PortFailure? Read(Health health, DateTimeOffset now) => health.Ok
        ? null
        : new PortFailure(HealthText.Kind(health.Check), HealthText.Reason(health.Failure, health.Status), now - TimeSpan.FromSeconds(health.Seconds));

    private static void Set(Dictionary<int, PortFailure> failing, int port, PortFailure? failure)
    {
        if (failure is null)
        {
            failing.Remove(port);
        }
        else
        {
            failing[port] = failure;
        }
    }

    private void Log(InstanceName name, int port, PortFailure? before, PortFailure? failure)
    {
        if (failure is null)
        {
            ControlStreamLog.Healthy(_logger, name, port, before!.Check);
        }
        else
        {
            ControlStreamLog.Unhealthy(_logger, name, port, failure.Check, failure.Reason);
        }
    }
}

/// <summary>
/// How often the health of an agent's ports may change: an agent tells of each once a second at most, and what it has told may come together. Owner: the
/// reader of the stream.
/// </summary>
internal sealed class HealthChanges(int ports, TimeProvider time)
{
    private const int Burst = 16;

    private double _left = ports * Burst;
    private long _at = time.GetTimestamp();

    public bool TryTake()
    {
        var now = time.GetTimestamp();
        _left = Math.Min(ports * Burst, _left + (time.GetElapsedTime(_at, now).TotalSeconds * ports));
        _at = now;
        if (_left < 1)
        {
            return false;
        }

        _left--;
        return true;
    }
}
