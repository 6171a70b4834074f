namespace Whip.Protocol.Dialing;

/// <summary>How a dial ended: the phase that failed and whose side it was. Statuses are those of the dial front (docs/wire.md).</summary>
public enum DialOutcome
{
    /// <summary>Both legs are connected and joined (200).</summary>
    Connected,

    /// <summary>The domain has live instances, but not this one (404).</summary>
    NoSuchHost,

    /// <summary>Nothing is registered under this name or its domain (404).</summary>
    NoSuchDomain,

    /// <summary>The name is live but does not publish the port (403).</summary>
    PortNotPublished,

    /// <summary>The broker's dial policy does not let this dialer reach the name and port (403).</summary>
    Denied,

    /// <summary>The agent could not open its local port, refused the dialer, or its leg failed (502).</summary>
    AgentFailed,

    /// <summary>The service fails the check of its agent; of a domain, at each instance that publishes the port (502).</summary>
    Unhealthy,

    /// <summary>The dial's deadline passed (504).</summary>
    DeadlineExceeded,

    /// <summary>Too many dials are pending, or the broker is out of descriptors (503).</summary>
    Overloaded,

    /// <summary>The broker cannot tell now: it is not in its cluster, another broker did not answer it, or it drains. Another one may (503).</summary>
    Unavailable,

    /// <summary>The request or the name is not well formed (400).</summary>
    BadRequest,

    /// <summary>The broker asked as holder holds no stream of the name (421). Between brokers only.</summary>
    NotHolder,

    /// <summary>The holder is elsewhere (307). Between a broker and a dialer that follows; never the end of a dial.</summary>
    Redirected,

    /// <summary>No broker could be reached, or its certificate was refused. Seen by dialers only.</summary>
    BrokerUnreachable,

    /// <summary>The broker answered with something that is not the dial front's protocol. Seen by dialers only.</summary>
    ProtocolError,
}
