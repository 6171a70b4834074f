namespace Whip.Broker.Peers;

/// <summary>Who answers at one of our addresses.</summary>
internal enum SelfVerdict
{
    /// <summary>This process; what is taken for granted before the first look.</summary>
    Us,

    Another,

    /// <summary>Nobody that can be reached from here, which need not mean that others cannot reach us.</summary>
    Unreachable,
}
