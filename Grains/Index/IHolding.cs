namespace Whip.Grains.Index;

/// <summary>What one silo says of one name.</summary>
internal interface IHolding
{
    SiloAddress Silo { get; }

    string BrokerId { get; }

    /// <summary>Drawn at the silo before it looked at its table: of two, the higher one has seen every change that was made before the other was drawn.</summary>
    long Version { get; }

    /// <summary>False: it has said that it holds nothing any more.</summary>
    bool IsHeld { get; }
}
