namespace Whip.AspNetCore.Dials;

internal sealed record DialFeature(IReadOnlyList<string> DialerNames, string DialerId, string DialledName, string Name, int Port) : IWhipDialFeature;
