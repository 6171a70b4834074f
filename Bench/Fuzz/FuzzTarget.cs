using System.Net;

namespace Whip.Bench.Fuzz;

/// <summary>What is given to one kind of parser or listener.</summary>
/// <param name="Name">As the user names it.</param>
/// <param name="IsTls">Its programs speak mutual TLS.</param>
/// <param name="Limit">Within it the connection of any input ends.</param>
/// <param name="LinesPerInput">How many lines a program may log for one input, as a request has one; 0: they are rationed by time alone.</param>
/// <param name="RunAsync">Makes and sends the input of this number, and returns when its connection has ended.</param>
internal sealed record FuzzTarget(
    string Name, bool IsTls, TimeSpan Limit, int LinesPerInput, Func<FuzzWhip, Random, int, CancellationToken, Task> RunAsync)
{
    // A proxy keeps an idle connection for 60 seconds; all else ends sooner, and a machine may be busy.
    private static readonly TimeSpan LongLimit = TimeSpan.FromSeconds(90);

    // The pages keep one for 10 seconds, a handshake has 5.
    private static readonly TimeSpan ShortLimit = TimeSpan.FromSeconds(45);

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("gate", IsTls: true, ShortLimit, 0, Sends(static (whip, random, _) => Of(One(whip.Listeners, random), WireCorpus.Strangers, random))),
        new("pages", IsTls: false, ShortLimit, 0, Sends(static (whip, random, _) =>
        {
            var page = One(whip.Pages, random);
            return Of(page, HttpCorpus.PageRequests($"{page}"), random);
        })),
        new("connect", IsTls: false, LongLimit, 1, Sends(static (whip, random, _) => Of(whip.Broker.Addresses["dial"], whip.Http.Connects, random))),
        new("preamble", IsTls: false, ShortLimit, 0, Sends(static (whip, random, _) => Of(whip.Broker.Addresses["tcp"], whip.Http.Preambles, random))),
        new("grpc", IsTls: false, LongLimit, 2, Sends(static (whip, random, _) =>
            (whip.Broker.Addresses["grpc"], FuzzInput.Of(WireCorpus.NextControlStream(random), random)))),
        new("requests", IsTls: false, LongLimit, 4, Sends(static (whip, random, _) => Of(whip.Proxy.Addresses["proxy"], whip.Http.Requests, random))),
        new("answers", IsTls: false, LongLimit, 4, Sends(static (whip, random, number) =>
            (whip.Proxy.Addresses["proxy"], FuzzInput.Of(One(whip.Http.RequestsFor(number), random), random))))
        {
            Answer = static (random, _) => FuzzInput.Of(Mutation.Next(HttpCorpus.Answers, random), random),
        },
        new("frames", IsTls: false, LongLimit, 2, Sends(static (whip, random, _) =>
        {
            var input = FuzzInput.Of(FrameCorpus.NextDials(whip.Http.Target, random), random);
            return (whip.Broker.Addresses["dial"], input with { Opening = FrameCorpus.Dial(whip.Http.Target) });
        })),
        new("kept-answers", IsTls: false, LongLimit, 4, Sends(static (whip, random, number) =>
            (whip.Dialer.Addresses["proxy"], FuzzInput.Of(One(HttpCorpus.DialsFor(number), random), random))))
        {
            Answer = static (random, head) => FuzzInput.Of(FrameCorpus.NextAnswer(head, random), random) is var input && random.Next(2) == 0
                ? input with { Ending = FuzzEnding.Next }
                : input,
        },
        new("agent", IsTls: false, LongLimit, 1, static (whip, random, number, cancellationToken) =>
            whip.HostileBroker!.RunAsync(random, number, cancellationToken))
        {
            Setup = FuzzSetup.HostileBroker,
        },
        new("socks", IsTls: false, LongLimit, 1, Sends(static (whip, random, _) =>
        {
            var (to, password) = random.Next(2) == 0 ? (whip.Socks!, null) : (whip.SocksWithPassword!, FuzzWhip.SocksPassword);
            return (to.Addresses["socks"], FuzzInput.Of(SocksCorpus.Next(whip.Http.Target, password, random), random));
        }))
        {
            Setup = FuzzSetup.Socks,
        },
        new("silo", IsTls: false, ShortLimit, 0, Sends(static (whip, random, _) => Of(whip.Broker.Addresses["silo"], WireCorpus.Silos, random)))
        {
            Setup = FuzzSetup.Cluster,
        },
    ];

    /// <summary>What the service sends for such a request; null: what an honest one does.</summary>
    public Func<Random, string, FuzzInput>? Answer { get; private init; }

    public FuzzSetup Setup { get; private init; }

    /// <summary>Sends each input on a connection of its own.</summary>
    private static Func<FuzzWhip, Random, int, CancellationToken, Task> Sends(Func<FuzzWhip, Random, int, (IPEndPoint To, FuzzInput Input)> next) =>
        (whip, random, number, cancellationToken) =>
        {
            var (to, input) = next(whip, random, number);
            return input.RunAsync(to, cancellationToken);
        };

    private static (IPEndPoint To, FuzzInput Input) Of(IPEndPoint to, IReadOnlyList<byte[]> corpus, Random random) =>
        (to, FuzzInput.Of(Mutation.Next(corpus, random), random));

    private static T One<T>(IReadOnlyList<T> all, Random random) => all[random.Next(all.Count)];
}

/// <summary>What the programs of a target have besides those of all.</summary>
internal enum FuzzSetup
{
    Usual,

    /// <summary>The broker is one of a cluster, which needs a PostgreSQL.</summary>
    Cluster,

    /// <summary>There is another agent, all of whose brokers are <see cref="FuzzBroker"/> but one.</summary>
    HostileBroker,

    /// <summary>There are two <c>whip socks</c>, one with a password.</summary>
    Socks,
}
