using System.Net;
using Whip.Grains.Members;
using Whip.Protocol.Names;

namespace Whip.Tests.Grains.Members;

/// <summary>One broker's member table, with a silo whose views the test makes up, and what other brokers would say.</summary>
internal sealed class TestMember : IDisposable
{
    private readonly Dictionary<SiloAddress, string> _silos = [];
    private readonly HashSet<string> _leaving = [];
    private long _sequence;

    public TestMember(string id = "a")
    {
        Own = Silo(id);
        Table = new MemberTable(new BrokerFacts { BrokerId = id, Process = Guid.NewGuid(), Zone = "z" }, "c1", Logs.CreateLogger("members"), Time);
        Table.Introduce(HostPort.Of($"{id}.test", 50051), HostPort.Of($"{id}.test", 8000), HostPort.Of($"{id}.test", 8010));
    }

    public FakeTimeProvider Time { get; } = new();

    public CapturedLogs Logs { get; } = new();

    public MemberTable Table { get; }

    public SiloAddress Own { get; }

    /// <summary>Of the view that the table was told of last.</summary>
    public long Version { get; private set; } = 100;

    /// <summary>The members in short: <c>a b? c!</c> for a live, a suspect and a draining one.</summary>
    public string Text => string.Join(' ', Table.Members.Select(member => $"{member.Id}{(member.IsSuspect ? "?" : "")}{(member.IsDraining ? "!" : "")}"));

    public static SiloAddress Silo(string id, int generation = 1) => SiloAddress.New(IPAddress.Loopback, 20_000 + id[0], generation);

    /// <summary>The next view: these silos are active.</summary>
    public void See(params IEnumerable<SiloAddress> silos)
    {
        _silos.Clear();
        foreach (var silo in silos)
        {
            _silos[silo] = $"{(char)(silo.Endpoint.Port - 20_000)}";
        }

        Table.Follow(new SiloView(Own, ++Version, new Dictionary<SiloAddress, string>(_silos), new HashSet<string>(_leaving)));
    }

    /// <summary>From the next view on its silo is stopping.</summary>
    public void Leave(string id) => _leaving.Add(id);

    /// <summary>Own silo and these are active, and each has answered.</summary>
    public void Join(params IEnumerable<string> others)
    {
        See([Own, .. others.Select(id => Silo(id))]);
        foreach (var id in others)
        {
            Answer(Facts(id));
        }
    }

    public BrokerFacts Facts(string id, int generation = 1) => new()
    {
        BrokerId = id,
        Process = new Guid(id[0], (short)generation, 0, new byte[8]),
        Silo = Silo(id, generation),
        ExternalGrpc = $"{id}.test:50051",
        ExternalTcp = $"{id}.test:8000",
        ExternalDial = $"{id}.test:8010",
        Zone = "z",
        Sequence = ++_sequence,
        ActiveSince = 50,
        ViewVersion = Version,
        ActiveSilos = [.. _silos.Keys],
    };

    /// <summary>A ping that was sent just now is answered.</summary>
    public void Answer(BrokerFacts facts) => Table.Answered(facts.Silo, Time.GetTimestamp(), facts);

    /// <summary>A ping that was sent just now fails.</summary>
    public void Fail(SiloAddress silo) => Table.Unanswered(silo, Time.GetTimestamp(), "refused");

    /// <summary>Time goes on, and the loop with it.</summary>
    public void Pass(TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += SiloPings.Interval)
        {
            Time.Advance(SiloPings.Interval);
            Table.Tick();
        }
    }

    public void Dispose() => Logs.Dispose();
}
