using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Whip.Agent.Legs;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Agent.Homes;

/// <summary>
/// Follows the addresses of one endpoint. A lookup is never started beside a slow one, and a failed or empty one keeps the last
/// known addresses. With a proxy an endpoint that cannot be looked up is at its name until it can.
/// </summary>
internal sealed class EndpointWatch(
    HostPort endpoint, HostResolver resolve, TimeProvider time, ILogger log, Action changed, BrokerClaim? claim = null, bool hasProxy = false)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Where names cannot be looked up at all, the resolver of the system may take a minute to say so.</summary>
    private static readonly TimeSpan ByNameAfter = TimeSpan.FromSeconds(2);

    private volatile IReadOnlyList<HomeAddress> _addresses = [];
    private volatile bool _hasLooked;
    private string _lastOutcome = "";

    public IReadOnlyList<HomeAddress> Addresses => _addresses;

    /// <summary>Whether the first lookup has ended, with or without an address.</summary>
    public bool HasLooked => _hasLooked;

    public static EndpointWatch Of(HostPort endpoint, HostResolver resolve, AgentContext context, Action changed, BrokerClaim? claim = null) =>
        new(endpoint, resolve, context.Time, context.Log, changed, claim, context.Settings.Via.To(endpoint) is not null);

    public async Task RunAsync(CancellationToken stop)
    {
        if (IPAddress.TryParse(endpoint.Host, out var literal))
        {
            Publish([literal]);
            return;
        }

        try
        {
            while (true)
            {
                await LookUpAsync(stop);
                await Task.Delay(Interval, time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private async Task LookUpAsync(CancellationToken stop)
    {
        try
        {
            var looking = resolve(endpoint.Host, stop);
            if (hasProxy && _addresses.Count == 0)
            {
                await ((Task)looking).WaitAsync(ByNameAfter, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (!looking.IsCompleted)
                {
                    Failed("no answer yet");
                }
            }

            var found = await looking;
            if (found.Length > 0)
            {
                Publish(found);
                Report(string.Join(", ", _addresses.Select(a => a.Address.Host)), isFailure: false);
                return;
            }

            Failed("no address");
        }
        catch (SocketException e)
        {
            Failed(ErrorClass.Of(e) ?? "failed");
        }
    }

    private void Publish(IPAddress[] found)
    {
        var addresses = found.Select(a => a.IsIPv4MappedToIPv6 ? a.MapToIPv4() : a).Distinct()
            .OrderBy(a => a.ToString(), StringComparer.Ordinal).ToList();
        _addresses = [.. addresses.Select(a => new HomeAddress(new IPEndPoint(a, endpoint.Port), endpoint, claim))];
        _hasLooked = true;
        changed();
    }

    private void Failed(string outcome)
    {
        if (hasProxy && _addresses.Count == 0)
        {
            _addresses = [new HomeAddress(endpoint, endpoint, claim)];
            HomeLog.ByName(log, endpoint, outcome);
            _lastOutcome = outcome;
            _hasLooked = true;
            changed();
            return;
        }

        Report(outcome, isFailure: true);
    }

    private void Report(string outcome, bool isFailure)
    {
        if (outcome == _lastOutcome)
        {
            return;
        }

        _lastOutcome = outcome;
        _hasLooked = true;
        if (isFailure)
        {
            HomeLog.LookupFailed(log, endpoint, outcome, _addresses.Count);
        }
        else
        {
            HomeLog.Resolved(log, endpoint, outcome);
        }
    }
}
