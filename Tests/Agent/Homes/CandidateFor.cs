using System.Net;
using Whip.Agent.Homes;

namespace Whip.Tests.Agent.Homes;

internal static class CandidateFor
{
    /// <summary>An address of which nothing more is known.</summary>
    public static Candidate Address(IPEndPoint address) => Named(CandidateList.Unknown(address), address, key: address.ToString());

    public static Candidate Broker(string id, string zone = "") => Named(id, new IPEndPoint(IPAddress.Loopback, 1)) with { Zone = zone };

    public static Candidate Named(string broker, IPEndPoint address, string? key = null) =>
        new(new HomeAddress(address, new BrokerEndpoint($"{address.Address}", address.Port))) { Broker = broker, Key = key ?? broker };
}
