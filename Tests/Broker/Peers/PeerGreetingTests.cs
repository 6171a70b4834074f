using Google.Protobuf;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Protocol.Tls;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Broker.Peers;

/// <summary>Who is taken for a broker and who is not.</summary>
public sealed class PeerGreetingTests
{
    private static readonly Certificates Certificates = TestCertificates.Shared;

    [Fact]
    public async Task Brokers_that_share_a_secret_link_without_TLS()
    {
        await using var b1 = new PeerBroker("b1", tls: false, secret: "s");
        await using var b2 = new PeerBroker("b2", tls: false, secret: "s");
        await PeerBroker.ClusterAsync(b1, b2);
        await b1.LinkedAsync(b2);
        await b2.LinkedAsync(b1);
    }

    [Theory]
    [InlineData("s", "t", "another --cluster-secret")]
    [InlineData("s", null, "without the --cluster-secret")]
    [InlineData(null, "s", "asks for a --cluster-secret")]
    public async Task Brokers_that_share_no_secret_do_not_link(string? ours, string? theirs, string problem)
    {
        await using var b1 = new PeerBroker("b1", tls: false, secret: ours);
        await using var b2 = new PeerBroker("b2", tls: false, secret: theirs);
        await b2.ListenAsync();
        b1.Know(b2.Member);
        Assert.Contains(problem, (await b1.Logs.WaitForAsync("NotLinked")).Message);
        Assert.True(b1.PeerOf(b2) is { IsLinked: false, IsSuspect: true });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_broker_of_another_cluster_is_refused(bool tls)
    {
        await using var b1 = new PeerBroker("b1", tls);
        await using var b2 = new PeerBroker("b2", tls, clusterId: "c2");
        await b2.ListenAsync();
        b1.Know(b2.Member);
        Assert.Contains(tls ? "lacks the URI whip://c1/broker/b2" : "this is whip://c2/broker/b2", (await b1.Logs.WaitForAsync("NotLinked")).Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_address_at_which_another_broker_answers_is_no_link(bool tls)
    {
        await using var b1 = new PeerBroker("b1", tls);
        await using var b2 = new PeerBroker("b2", tls);
        await b2.ListenAsync();
        b1.Know(b2.Member with { Id = "b3" });
        Assert.Contains(tls ? "lacks the URI whip://c1/broker/b3" : "this is whip://c1/broker/b2", (await b1.Logs.WaitForAsync("NotLinked")).Message);
    }

    [Theory]
    [InlineData("agent")]
    [InlineData("another broker")]
    [InlineData("broker of another cluster")]
    [InlineData("broker without a URI")]
    public async Task Only_the_certificate_of_the_broker_makes_the_broker(string who)
    {
        await using var b2 = new PeerBroker("b2", tls: true);
        await b2.ListenAsync();
        var identity = who switch
        {
            "agent" => Certificates.ClientIdentity("b1.testdom"),
            "another broker" => Certificates.MemberIdentity("c1", "b3"),
            "broker of another cluster" => Certificates.MemberIdentity("c2", "b1"),
            _ => Certificates.BrokerIdentity,
        };
        Assert.Equal(GrpcStatusCode.PermissionDenied, await RefusalAsync(b2, Hello(), identity));
        await b2.Logs.WaitForAsync("Refused");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_does_not_greet_is_refused_and_counts_as_unauthenticated(bool tls)
    {
        await using var b2 = new PeerBroker("b2", tls);
        await b2.ListenAsync();
        var identity = tls ? Certificates.MemberIdentity("c1", "b1") : null;
        Assert.Equal(GrpcStatusCode.InvalidArgument, await RefusalAsync(b2, new PeerRequest { Ping = 1 }, identity));
        Assert.Equal(GrpcStatusCode.InvalidArgument, await RefusalAsync(b2, new PeerRequest(), identity));
        Assert.Equal(GrpcStatusCode.NotFound, await RefusalAsync(b2, Hello(hello => hello.ToBroker = "b3"), identity));
        Assert.Equal(GrpcStatusCode.NotFound, await RefusalAsync(b2, Hello(hello => hello.ClusterId = "c2"), identity));

        await Patience.UntilAsync(() => b2.Gate.Count == 0, "the refused are gone");
        await using var silent = await b2.CallAsync(identity);
        await Patience.UntilAsync(() => b2.Gate.Count == 1, "who is silent counts");
    }

    [Fact]
    public async Task A_proof_of_another_link_proves_nothing()
    {
        await using var b1 = new PeerBroker("b1", tls: false, secret: "s");
        await using var b2 = new PeerBroker("b2", tls: false, secret: "s");
        await b2.ListenAsync();
        var hello = Hello();
        await using var first = await b2.CallAsync(null);
        await first.WriteAsync(hello, default);
        var challenge = (await ReadAsync(first))!.Challenge;
        var proof = b1.Credentials.OpenerProof("b1", "b2", hello.Hello.Nonce.Span, challenge.Nonce.Span);
        foreach (var forged in new[] { proof, challenge.Proof.ToByteArray(), [] })
        {
            await using var second = await b2.CallAsync(null);
            await second.WriteAsync(hello, default);
            Assert.NotEqual(challenge.Nonce, (await ReadAsync(second))!.Challenge.Nonce);
            await second.WriteAsync(new PeerRequest { Proof = ByteString.CopyFrom(forged) }, default);
            Assert.Equal(GrpcStatusCode.PermissionDenied, await EndAsync(second));
        }

        await first.WriteAsync(new PeerRequest { Proof = ByteString.CopyFrom(proof) }, default);
        Assert.Equal(b2.Credentials.Process, (await ReadAsync(first))!.Welcome.Process);
        Assert.Equal(GrpcStatusCode.InvalidArgument, await RefusalAsync(b2, Hello(it => it.Nonce = ByteString.Empty), null));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_link_that_talks_nonsense_ends(bool tls)
    {
        await using var b2 = new PeerBroker("b2", tls);
        await b2.ListenAsync();
        PeerRequest[] nonsense =
        [
            Hello(),
            new() { Watch = "no name" },
            new() { Unwatch = new string('a', 300) },
            new() { Lookup = new PeerLookup { Name = "i1.d", Port = 70_000 } },
            new() { Lookup = new PeerLookup { Name = "", Port = 80 } },
        ];
        foreach (var request in nonsense)
        {
            await using var call = await LinkAsync(b2, tls);
            await call.WriteAsync(request, default);
            Assert.Equal(GrpcStatusCode.InvalidArgument, await EndAsync(call));
        }

        await using var oversized = await LinkAsync(b2, tls);
        var writing = oversized.WriteAsync(new PeerRequest { Watch = new string('a', 70_000) }, default).AsTask();
        Assert.Equal(GrpcStatusCode.ResourceExhausted, await EndAsync(oversized));

        // Refused by its length, it may end before it is written.
        _ = await Record.ExceptionAsync(() => writing.WaitAsync(Patience.Long));
    }

    [Fact]
    public async Task A_request_of_a_later_version_is_skipped()
    {
        await using var b2 = new PeerBroker("b2", tls: false);
        await b2.ListenAsync();
        await using var call = await LinkAsync(b2, tls: false);
        await call.WriteAsync(PeerRequest.Parser.ParseFrom(new byte[] { 0xF8, 0x06, 0x01 }), default);
        await call.WriteAsync(new PeerRequest { Ping = 7 }, default);
        Assert.Equal(7ul, (await ReadAsync(call))!.Pong);
    }

    [Fact]
    public async Task No_more_names_are_watched_than_a_broker_ever_asks_for()
    {
        await using var b2 = new PeerBroker("b2", tls: false);
        await b2.ListenAsync();
        await using var call = await LinkAsync(b2, tls: false);
        for (var i = 0; i < 10_000; i++)
        {
            await call.WriteAsync(new PeerRequest { Watch = $"i{i}.d" }, default).AsTask().WaitAsync(Patience.Long);
        }

        await call.WriteAsync(new PeerRequest { Watch = "i1.d" }, default);
        await call.WriteAsync(new PeerRequest { Ping = 1 }, default);
        Assert.Equal(1ul, (await ReadAsync(call))!.Pong);
        await call.WriteAsync(new PeerRequest { Watch = "j.d" }, default);
        Assert.Equal(GrpcStatusCode.ResourceExhausted, await EndAsync(call));
    }

    private static PeerRequest Hello(Action<PeerHello>? change = null)
    {
        var hello = new PeerHello { ClusterId = "c1", FromBroker = "b1", ToBroker = "b2", Nonce = ByteString.CopyFrom(new byte[32]) };
        change?.Invoke(hello);
        return new PeerRequest { Hello = hello };
    }

    private static async Task<ControlCall<PeerRequest, PeerReply>> LinkAsync(PeerBroker broker, bool tls)
    {
        var call = await broker.CallAsync(tls ? Certificates.MemberIdentity("c1", "b1") : null);
        await call.WriteAsync(Hello(), default);
        Assert.NotNull((await ReadAsync(call))!.Welcome);
        return call;
    }

    private static async Task<GrpcStatusCode> RefusalAsync(PeerBroker broker, PeerRequest first, TlsIdentity? identity)
    {
        await using var call = await broker.CallAsync(identity);
        await call.WriteAsync(first, default);
        return await EndAsync(call);
    }

    private static Task<PeerReply?> ReadAsync(ControlCall<PeerRequest, PeerReply> call) => call.ReadAsync(default).AsTask().WaitAsync(Patience.Long);

    private static async Task<GrpcStatusCode> EndAsync(ControlCall<PeerRequest, PeerReply> call) =>
        (await Assert.ThrowsAsync<GrpcStatusException>(() => ReadAsync(call))).Status.Code;
}
