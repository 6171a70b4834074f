using System.Text;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Names;

namespace Whip.Tests.Protocol.Connect;

public sealed class ConnectResponseTests
{
    public static TheoryData<DialOutcome, int> Table => new()
    {
        { DialOutcome.Connected, 200 },
        { DialOutcome.NoSuchHost, 404 },
        { DialOutcome.NoSuchDomain, 404 },
        { DialOutcome.PortNotPublished, 403 },
        { DialOutcome.Denied, 403 },
        { DialOutcome.AgentFailed, 502 },
        { DialOutcome.DeadlineExceeded, 504 },
        { DialOutcome.Overloaded, 503 },
        { DialOutcome.Unavailable, 503 },
        { DialOutcome.BadRequest, 400 },
        { DialOutcome.NotHolder, 421 },
        { DialOutcome.Redirected, 307 },
        { DialOutcome.BrokerUnreachable, 502 },
        { DialOutcome.ProtocolError, 502 },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Each_outcome_passes_the_wire_with_its_status(DialOutcome outcome, int status)
    {
        var bytes = new ConnectResponse(outcome, "because").ToBytes();
        var (head, consumed, _) = ConnectResponseHead.Parse(bytes);
        Assert.NotNull(head);
        Assert.Equal((status, outcome), (head.Status, head.Outcome));
        Assert.Equal(outcome == DialOutcome.Connected ? "" : "because\n", Encoding.ASCII.GetString(bytes.AsSpan(consumed, head.ContentLength)));
        Assert.Equal(bytes.Length, consumed + head.ContentLength);
    }

    [Fact]
    public void The_whole_answer_as_it_stands_on_the_wire()
    {
        var response = new ConnectResponse(DialOutcome.Overloaded, "too many\r\nX: \u0007pending") { RetryAfter = TimeSpan.FromMilliseconds(1500) };
        Assert.Equal(
            "HTTP/1.1 503 Service Unavailable\r\nWhip-Outcome: overloaded\r\nRetry-After: 2\r\nContent-Type: text/plain\r\n"
            + "Content-Length: 22\r\nConnection: close\r\n\r\ntoo many??X: ?pending\n",
            Encoding.ASCII.GetString(response.ToBytes()));
        Assert.Equal(
            "HTTP/1.1 200 Connection established\r\n\r\n",
            Encoding.ASCII.GetString(new ConnectResponse(DialOutcome.Connected, "").ToBytes()));
        Assert.Equal(
            "HTTP/1.1 307 Temporary Redirect\r\nWhip-Outcome: redirected\r\nWhip-Location: broker2.example:8010\r\nContent-Type: text/plain\r\n"
            + "Content-Length: 10\r\nConnection: close\r\n\r\nelsewhere\n",
            Encoding.ASCII.GetString(new ConnectResponse(DialOutcome.Redirected, "elsewhere") { Location = HostPort.Of("broker2.example", 8010) }.ToBytes()));
    }

    [Fact]
    public void A_redirect_tells_where_and_an_interim_head_that_another_follows()
    {
        var redirect = new ConnectResponse(DialOutcome.Redirected, "elsewhere") { Location = HostPort.Of("::1", 8010) };
        var (head, _, _) = ConnectResponseHead.Parse(redirect.ToBytes());
        Assert.Equal(("[::1]:8010", false), ($"{head?.Location}", head?.IsInterim));
        (head, var consumed, _) = ConnectResponseHead.Parse((byte[])[.. ConnectResponse.Progress.Span, .. redirect.ToBytes()]);
        Assert.Equal((true, ConnectResponse.Progress.Length), (head?.IsInterim, consumed));
    }

    [Theory]
    [InlineData(404, null, DialOutcome.NoSuchHost)]
    [InlineData(403, null, DialOutcome.Denied)]
    [InlineData(404, "no-such-domain", DialOutcome.NoSuchDomain)]
    [InlineData(404, "connected", DialOutcome.NoSuchHost)]
    [InlineData(404, "17", DialOutcome.NoSuchHost)]
    [InlineData(407, null, DialOutcome.ProtocolError)]
    [InlineData(100, null, DialOutcome.ProtocolError)]
    [InlineData(307, null, DialOutcome.Redirected)]
    [InlineData(204, null, DialOutcome.ProtocolError)]
    [InlineData(301, "denied", DialOutcome.ProtocolError)]
    public void The_status_is_believed_before_the_name(int status, string? name, DialOutcome outcome)
    {
        Assert.Equal(outcome, DialStatus.FromResponse(status, name));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK", 200)]
    [InlineData("HTTP/1.0 200", 200)]
    [InlineData("HTTP/1.1 502 ", 502)]
    [InlineData("HTTP/2 200", null)]
    [InlineData("HTTP/1.1 2000", null)]
    [InlineData("HTTP/1.1 +20 OK", null)]
    [InlineData("SSH-2.0-OpenSSH_9.6", null)]
    [InlineData("HTTP/1.1 404 no\r\nContent-Length: -1", null)]
    [InlineData("HTTP/1.1 404 no\r\nContent-Length: 1\r\nContent-Length: 2", null)]
    public void A_status_line_is_read_strictly(string head, int? status)
    {
        var parse = ConnectResponseHead.Parse(Encoding.ASCII.GetBytes(head + "\r\n\r\n"));
        Assert.Equal(status, parse.Head?.Status);
        Assert.Equal(status is null, parse.Problem is not null);
    }
}
