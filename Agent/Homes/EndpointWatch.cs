using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Whip.Agent.Legs;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Agent.Homes;

/// <summary>
/// Follows the addresses of one endpoint. A lookup is never started beside a slow one, and a failed or empty one keeps the last
/// known addresses.
/// </summary>
internal sealed class EndpointWatch(
    HostPort endpoint, HostResolver resolve, TimeProvider time, ILogger log, Action changed, BrokerClaim? claim = null)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private volatile IReadOnlyList<HomeAddress> _addresses = [];
    private volatile bool _hasLooked;
    private string _lastOutcome = "";

    public IReadOnlyList<HomeAddress> Addresses => _addresses;

    /// <summary>Whether the first lookup has ended, with or without an address.</summary>
    public bool HasLooked => _hasLooked;

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
            var found = await resolve(endpoint.Host, stop);
            if (found.Length > 0)
            {
                Publish(found);
                Report(string.Join(", ", _addresses.Select(a => a.Address.Address)), isFailure: false);
                return;
            }

            Report("no address", isFailure: true);
        }
        catch (SocketException e)
        {
            Report(ErrorClass.Of(e) ?? "failed", isFailure: true);
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
