namespace Whip.Bench.Measuring;

/// <summary>How many echoes ended in which way.</summary>
internal sealed class EchoCounts
{
    private readonly int[] _counts = new int[Enum.GetValues<EchoEnd>().Length];

    public int this[EchoEnd end] => Volatile.Read(ref _counts[(int)end]);

    public void Count(EchoEnd end) => Interlocked.Increment(ref _counts[(int)end]);
}
