namespace Whip.Protocol.Relay;

/// <summary>How a relay ended and what it carried.</summary>
/// <param name="End">The first close reason.</param>
/// <param name="BytesAToB">Bytes read from A and written to B.</param>
/// <param name="BytesBToA">Bytes read from B and written to A.</param>
/// <param name="Detail">The failure in a few words for a log; empty when clean.</param>
internal readonly record struct RelayResult(RelayEnd End, long BytesAToB, long BytesBToA, string Detail);
