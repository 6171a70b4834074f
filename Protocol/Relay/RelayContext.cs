namespace Whip.Protocol.Relay;

/// <summary>What all relays of one program share.</summary>
/// <param name="Buffers">Where they rent.</param>
/// <param name="Time">The clock of the half-open timeout.</param>
/// <param name="HalfOpenTimeout">How long a half-closed relay may carry nothing.</param>
/// <param name="AToB">Told of bytes as they were written, so that a long relay is seen before it ends.</param>
/// <param name="BToA">The same for the other direction.</param>
internal sealed record RelayContext(
    RelayBuffers Buffers, TimeProvider Time, TimeSpan HalfOpenTimeout, Action<long>? AToB = null, Action<long>? BToA = null);
