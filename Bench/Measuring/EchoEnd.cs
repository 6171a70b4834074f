namespace Whip.Bench.Measuring;

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
