namespace Whip.Grains.Index;

/// <summary>A grain to be told: that of a client, or that of a domain.</summary>
internal readonly record struct AnnouncedName(string Text, bool IsDomain);
