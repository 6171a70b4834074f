using System.Collections.Concurrent;

namespace Whip.Bench.Kept;

/// <summary>The dials of one run and what became of them.</summary>
internal sealed class KeptTally(int seed, int maxDials)
{
    // The first ones say what is wrong.
    private const int MaxWrong = 1000;

    private readonly KeptDial?[] _dials = new KeptDial?[maxDials + 1];
    private readonly KeptDial?[] _present = new KeptDial?[KeptDials.Workers];
    private readonly ConcurrentQueue<string> _wrong = [];
    private readonly ConcurrentDictionary<(string By, DialState State), int> _reached = new();
    private int _begun;
    private int _end;

    public int Connected => _dials.Count(dial => dial?.IsConnected == true);

    /// <summary>There are so many more dials. Not while dials are under way.</summary>
    public void Add(int dials) => (_begun, _end) = (_end, _end + dials);

    /// <summary>What is wrong since the last time.</summary>
    public IReadOnlyList<string> TakeWrong()
    {
        var wrong = _wrong.ToArray();
        _wrong.Clear();
        return wrong;
    }

    /// <summary>The next dial of a worker; null: there are no more.</summary>
    public KeptDial? Next(int worker)
    {
        var number = Interlocked.Increment(ref _begun);
        if (number > _end || _wrong.Count > MaxWrong)
        {
            return null;
        }

        var dial = new KeptDial(seed, number, worker);
        Volatile.Write(ref _dials[number], dial);
        Volatile.Write(ref _present[worker], dial);
        return dial;
    }

    public KeptDial? Dial(int number) => number > 0 && number < _dials.Length ? Volatile.Read(ref _dials[number]) : null;

    /// <summary>What a worker dials now.</summary>
    public KeptDial? Present(int worker) => Volatile.Read(ref _present[worker]);

    public void Wrong(string what) => _wrong.Enqueue(what);

    /// <summary>Nothing is wrong if there is no <paramref name="problem"/>.</summary>
    public void Wrong(KeptDial dial, string? problem)
    {
        if (problem is not null)
        {
            _wrong.Enqueue($"{dial}: {problem}");
        }
    }

    /// <summary>A dial was broken in this state.</summary>
    public void Reached(string by, DialState state) => _reached.AddOrUpdate((by, state), 1, static (_, count) => count + 1);

    public int CountReached(string by, DialState state) => _reached.GetValueOrDefault((by, state));
}
