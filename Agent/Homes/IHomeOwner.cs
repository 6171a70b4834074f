using Whip.Protocol.Messages;

namespace Whip.Agent.Homes;

/// <summary>Who is told what happens on the control streams; from any thread, and never made to wait.</summary>
internal interface IHomeOwner
{
    /// <summary>The state of a home or its stream is another.</summary>
    void Changed();

    /// <summary>A broker of ours, on a stream it has accepted, tells of the brokers of its cluster.</summary>
    void Announced(Members members);
}
