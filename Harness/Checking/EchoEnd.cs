namespace Whip.Harness.Checking;

/// <summary>How an echo ended, as one of its two ends saw it.</summary>
internal enum EchoEnd
{
    /// <summary>Every byte came and was right, then the end of the stream.</summary>
    Whole,

    /// <summary>An error of the network.</summary>
    Reset,

    /// <summary>The end of the stream before every byte had come, as if that were all.</summary>
    EarlyEnd,

    /// <summary>A byte that does not belong there.</summary>
    Wrong,

    /// <summary>This end gave up because the run is over.</summary>
    Stopped,
}

/// <summary>How many echoes ended in which way.</summary>
internal sealed class EchoCounts
{
    private readonly int[] _counts = new int[Enum.GetValues<EchoEnd>().Length];

    public int this[EchoEnd end] => Volatile.Read(ref _counts[(int)end]);

    public void Count(EchoEnd end) => Interlocked.Increment(ref _counts[(int)end]);
}
