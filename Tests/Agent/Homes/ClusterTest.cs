using System.Net;
using System.Security.Cryptography.X509Certificates;
using Whip.Agent;
using Whip.Agent.Homes;
using Whip.Cli.Pki;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Tests.Agent.Homes;

/// <summary>Scripted brokers that tell an agent of each other. The clock stands unless the test moves it.</summary>
public abstract class ClusterTest : AgentTest
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(0.05);

    private protected FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

    /// <summary>Ids in the order in which the agent of these tests prefers them.</summary>
    private protected static string[] Preferred { get; } =
        [.. HomeChoice.Choose("a.testdom", Enumerable.Range(1, 5).Select(i => CandidateFor.Broker($"b{i}")), 5).Select(c => c.Broker)];

    private protected Task<ScriptedBroker> StartMemberAsync(bool tls, string id, int port = 0) =>
        StartBrokerAsync(port: port, identity: tls ? MemberIdentity(BrokerUri.Format("c", id)) : null);

    private protected Task<WhipAgent> StartAgentAsync(ScriptedBroker broker, bool tls, int homes) =>
        StartAgentAsync([$"127.0.0.1:{broker.Grpc.Port}"], tls, o => o.Homes = homes, Time);

    private protected Task AdvanceUntilAsync(Task task, string what, TimeSpan? atMost = null) => AdvanceUntilAsync(() => task.IsCompleted, what, atMost);

    private protected Task AdvanceUntilAsync(Func<bool> condition, string what, TimeSpan? atMost = null) =>
        Time.AdvanceUntilAsync(condition, what, Step, atMost);

    private protected static ResponseStream Tell(params (string Id, ScriptedBroker Broker)[] members) =>
        Tell(members.Select(m => new Member { BrokerId = m.Id, Grpc = $"127.0.0.1:{m.Broker.Grpc.Port}" }));

    private protected static ResponseStream Tell(IEnumerable<Member> members) =>
        new() { Members = new Members { ClusterId = "c", Members_ = { members } } };

    /// <summary>A broker of 127.0.0.1, or of a host that is not.</summary>
    private protected static TlsIdentity MemberIdentity(string uri, string address = "127.0.0.1") => TlsIdentity.Create(
        [
            TestCertificates.Shared.Issue(
                new LeafRequest(new X500DistinguishedName("CN=broker"), DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1))
                {
                    Addresses = [IPAddress.Parse(address)],
                    Uris = [new Uri(uri)],
                    Purposes = [KeyPurpose.ServerAuth],
                }),
        ],
        TestCertificates.Shared.Roots);
}
