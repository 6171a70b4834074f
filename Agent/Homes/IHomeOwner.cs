using Whip.Protocol.Messages;

namespace Whip.Agent.Homes;

/// <summary>Who is told what happens on the control streams; from any thread, and never made to wait.</summary>
internal interface IHomeOwner
{
    /// <summary>The state of a home or of its stream has changed.</summary>
    void Changed();

    /// <summary>A broker of ours, on a stream it has accepted, has named the brokers of its cluster.</summary>
    void MembersNamed(Members members);
}
