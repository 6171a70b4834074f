namespace Whip.Hosting.Listening;

/// <summary>A port of Whip, so that a client that was led to the wrong one can be told where it is, and where it belongs.</summary>
/// <param name="Name">In logs and metrics.</param>
/// <param name="Description">Such as <c>the dial port of broker b1 (--dial-listen)</c>.</param>
/// <param name="Serves">Who belongs there.</param>
internal sealed record PortKind(string Name, string Description, Visitor Serves)
{
    /// <summary>Gets why an agent's leg does not belong here, and its first bytes: the dial that it is for may be of this process.</summary>
    public Action<string, byte[]>? OnLeg { get; init; }

    /// <summary>Who has come, by its first bytes.</summary>
    public Visitor VisitorOf(ReadOnlySpan<byte> start)
    {
        var visitor = Visitors.Of(start);
        if (visitor == Visitor.Leg && Serves != Visitor.Leg)
        {
            OnLeg?.Invoke(Hint(visitor), start.ToArray());
        }

        return visitor;
    }

    /// <summary>What the visitor is told.</summary>
    /// <param name="visitor">Who has come.</param>
    /// <param name="wantsTls">The visitor has not begun TLS, as it should.</param>
    public string Hint(Visitor visitor, bool wantsTls = false) => $"this is {Description}; {Advice(visitor, wantsTls)}";

    /// <summary>What the log says of the visitor.</summary>
    public string Reason(Visitor visitor) => visitor == Serves ? Who(visitor) : $"{Who(visitor)}; {WhereTo(visitor)}";

    private string Advice(Visitor visitor, bool wantsTls) => (Serves, visitor, wantsTls) switch
    {
        (Visitor.Dialer, Visitor.Dialer or Visitor.Browser, true) => "this port speaks TLS: use an https proxy URL and a client certificate",
        (Visitor.Dialer, Visitor.Dialer or Visitor.Browser, false) => "only CONNECT is served here",
        (Visitor.Agent, Visitor.Agent or Visitor.AskingAgent, true) => "this port speaks TLS: run the agent without --tls=false",
        _ => WhereTo(visitor),
    };

    private static string Who(Visitor visitor) => visitor switch
    {
        Visitor.Tls => "it speaks TLS, and this port does not",
        Visitor.Agent or Visitor.AskingAgent => "it speaks gRPC, as an agent does",
        Visitor.Dialer => "it sent CONNECT, as a dialer does",
        Visitor.Leg => "it sent the preamble of an agent's leg",
        Visitor.Admin => "it asked the admin API, as whip status does",
        Visitor.Browser => "it speaks HTTP/1",
        _ => "what it speaks is not known",
    };

    private static string WhereTo(Visitor visitor) => visitor switch
    {
        Visitor.Agent or Visitor.AskingAgent => "agents register at the gRPC port (--grpc-listen)",
        Visitor.Dialer => "dialers send CONNECT to the dial port (--dial-listen)",
        Visitor.Leg => "agents bring their legs to the rendezvous port (--tcp-listen), to which --external-tcp must lead",
        Visitor.Admin => "whip status, clients and explain ask the admin port (--admin-listen)",
        _ => "agents register at --grpc-listen and bring legs to --tcp-listen, dials go to --dial-listen, metrics are at --metrics-listen",
    };
}
