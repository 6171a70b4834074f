namespace Whip.Protocol.Connect;

/// <summary>
/// What the bytes so far are: a whole head of <see cref="Consumed"/> bytes, something that cannot become a head (<see cref="Problem"/>, one
/// line that may quote the peer), or, with neither, the beginning of a head.
/// </summary>
internal readonly record struct HeadParse<THead>(THead? Head, int Consumed, string? Problem)
    where THead : class
{
    public static HeadParse<THead> Incomplete => default;

    public bool IsIncomplete => Head is null && Problem is null;

    public static HeadParse<THead> Complete(THead head, int consumed) => new(head, consumed, null);

    public static HeadParse<THead> Invalid(string problem) => new(null, 0, problem);
}
