using System.Net;
using System.Text;
using Whip.Protocol.Connect;
using Whip.Protocol.Names;

namespace Whip.Tests.Protocol.Connect;

public sealed class ConnectRequestTests
{
    [Theory]
    [InlineData("CONNECT instance1.testdom:5051 HTTP/1.1\r\nHost: instance1.testdom:5051\r\n\r\n")]
    [InlineData("CONNECT Instance1.TestDom:5051 HTTP/1.0\r\n\r\n")]
    [InlineData("CONNECT instance1.testdom.:5051 HTTP/1.1\n\n")]
    [InlineData("CONNECT instance1.testdom:5051 HTTP/1.1\r\nUser-Agent: curl/8\r\nVia: a\r\nVia: b\r\nX-Caf\u00e9-free: \u00e9\r\n\r\n", false)]
    [InlineData("CONNECT instance1.testdom:5051 HTTP/1.1\r\nContent-Length: 0\r\nProxy-Connection: Keep-Alive\r\n\r\n")]
    public void A_head_in_any_accepted_form_names_the_same_target(string head, bool valid = true)
    {
        var parse = Parse(head + "\0payload\r\n\r\n");
        Assert.Equal(valid, parse.Head is not null);
        if (valid)
        {
            Assert.Equal(new ConnectRequest(DialTarget.Of("instance1.testdom", 5051)), parse.Head);
            Assert.Equal(head.Length, parse.Consumed);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("C")]
    [InlineData("CONNECT instance1.testdom:5051 HTTP/1.1\r\nHost: x\r\n")]
    [InlineData("CONNECT instance1.testdom:5051 HTTP/1.1\r\n\r")]
    public void The_beginning_of_a_head_is_incomplete(string head)
    {
        Assert.Equal(HeadParse<ConnectRequest>.Incomplete, Parse(head));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1", "only CONNECT is served here")]
    [InlineData("connect a.b:1 HTTP/1.1", "only CONNECT is served here")]
    [InlineData("\r\nCONNECT a.b:1 HTTP/1.1", "does not begin with a name")]
    [InlineData("CONNECT a.b:1", "request line")]
    [InlineData("CONNECT  a.b:1 HTTP/1.1", "request line")]
    [InlineData("CONNECT a.b:1 HTTP/2.0", "request line")]
    [InlineData("CONNECT a.b:1 HTTP/1.1 ", "request line")]
    [InlineData("CONNECT a.b HTTP/1.1", "is not host:port")]
    [InlineData("CONNECT a.b:0 HTTP/1.1", "port of 1 to 65535")]
    [InlineData("CONNECT a.b:65536 HTTP/1.1", "port of 1 to 65535")]
    [InlineData("CONNECT a.b:+1 HTTP/1.1", "is not host:port")]
    [InlineData("CONNECT :80 HTTP/1.1", "is not a DNS name")]
    [InlineData("CONNECT [::1]:80 HTTP/1.1", "is not a DNS name")]
    [InlineData("CONNECT 127.0.0.1:80 HTTP/1.1", "is not a DNS name")]
    [InlineData("CONNECT user@a.b:80 HTTP/1.1", "is not a DNS name")]
    [InlineData("CONNECT -a.b:80 HTTP/1.1", "is not a DNS name")]
    [InlineData("CONNECT caf\u00e9.b:80 HTTP/1.1", "is not a DNS name")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nX: a\r\n folded", "does not begin with a name")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Wait : 5", "header Whip-Wait has a space before its colon")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\n: 5", "does not begin with a name")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nno colon", "does not begin with a name")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nX: a\rb", "lone CR")]
    [InlineData("CONNECT a.b:1\r HTTP/1.1", "lone CR")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nX: a\0b", "byte 0x00")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Wait: 5\r\nwhip-wait: 6", "stands twice")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nContent-Length: 3", "has no body")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0", "stands twice")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nTransfer-Encoding: chunked", "Transfer-Encoding")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Wait: 61", "from 0 to 60")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Wait: -1", "from 0 to 60")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Wait:", "from 0 to 60")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Deadline: soon", "milliseconds")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Redirected: 3", "from 0 to 2")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Redirected:", "from 0 to 2")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer: a.b,", "is not a list")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer: a%zz", "is not a list")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer: a%0D", "is not a list")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer: caf\u00e9", "is not a list")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer-Id: ab", "is not ISSUER-KEY-ID:SERIAL")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer-Id: AB:1", "is not ISSUER-KEY-ID:SERIAL")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer-Id: ab:01", "is not ISSUER-KEY-ID:SERIAL")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer-Address:", "is not two addresses")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer-Address: 10.0.0.1:1", "is not two addresses")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer-Address: 10.0.0.1 10.0.0.2:1", "is not two addresses")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer-Address: 10.0.0.1:1 [::1]:1", "is not two addresses")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer-Address: 10.0.0.01:1 10.0.0.2:1", "is not two addresses")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer-Address: a.b:1 10.0.0.2:1", "is not two addresses")]
    public void Anything_else_is_refused_with_a_line_that_says_why(string head, string why)
    {
        var parse = Parse(head + "\r\n\r\n");
        Assert.Null(parse.Head);
        Assert.Contains(why, parse.Problem);
    }

    [Theory]
    [InlineData("GET /?token=s3cret HTTP/1.1")]
    [InlineData("/?token=s3cret HTTP/1.1")]
    [InlineData("CONNECT a.b:1?token=s3cret HTTP/1.1")]
    [InlineData("CONNECT s3cret@a.b:1 HTTP/1.1")]
    [InlineData("CONNECT a.b:1 s3cret HTTP/1.1")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nCookie id=s3cret")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nCookie id=s3cret: x")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nProxy-Authorization : Basic s3cret")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Wait: s3cret")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Deadline: s3cret")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Redirected: s3cret")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer: s3cret%zz")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer-Id: s3cret")]
    [InlineData("CONNECT a.b:1 HTTP/1.1\r\nWhip-Dialer-Address: s3cret:1 s3cret:2")]
    public void A_problem_never_quotes_what_was_sent(string head)
    {
        var problem = Parse(head + "\r\n\r\n").Problem;
        Assert.NotNull(problem);
        Assert.DoesNotContain("s3cret", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_http_are_refused_before_the_head_ends()
    {
        Assert.Equal("one side speaks TLS, the other does not", Parse("\u0016\u0003\u0001").Problem);
        Assert.Contains("0x05", Parse("\u0005\u0001\0").Problem);
    }

    [Fact]
    public void The_writer_is_understood_by_the_parser()
    {
        var request = new ConnectRequest(DialTarget.Of("instance1.testdom", 5051))
        {
            Wait = TimeSpan.FromSeconds(5),
            Deadline = TimeSpan.FromMilliseconds(9_990),
            AcceptsRedirect = true,
            AcceptsProgress = true,
            Redirected = 2,
            Forwarded = "b1",
            DialerNames = ["proxy.testdom"],
            DialerId = "00ff:1a",
            DialerAddress = DialerAddress.Of(new(IPAddress.IPv6Loopback, 4711), new(IPAddress.Parse("2001:db8::1"), 8010)),
        };
        Assert.Equal(request, ConnectRequest.Parse(request.ToBytes()).Head);
    }

    [Fact]
    public void Any_list_of_printable_names_passes_the_wire()
    {
        var all = string.Concat(Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c));
        foreach (var names in (string[][])[[], ["a.b"], [all, " ", ",", "%2C", "spiffe://x/y?z", "10.0.0.1", "a.b", "a.b"]])
        {
            var request = new ConnectRequest(DialTarget.Of("a.b", 1)) { DialerNames = names };
            Assert.Equal(names, ConnectRequest.Parse(request.ToBytes()).Head?.DialerNames);
        }

        Assert.Null(Parse("CONNECT a.b:1 HTTP/1.1\r\n\r\n").Head?.DialerNames);
    }

    [Fact]
    public void Names_beyond_the_bound_are_left_out_whole()
    {
        var names = Enumerable.Range(0, 1000).Select(i => $"name{i}.testdom").Prepend(new string('x', 5000)).ToArray();
        var request = new ConnectRequest(DialTarget.Of("a.b", 1)) { DialerNames = names };
        Assert.InRange(request.ToBytes().Length, NameList.MaxLength / 2, HeadReader.DefaultLimit);
        var read = ConnectRequest.Parse(request.ToBytes()).Head?.DialerNames;
        Assert.NotNull(read);
        Assert.Equal(names[1..(read.Count + 1)], read);
    }

    [Theory]
    [InlineData(null, null, 0, 5)]
    [InlineData(30, null, 30, 5)]
    [InlineData(null, 2, 0, 2)]
    [InlineData(30, 40, 30, 10)]
    [InlineData(30, 20, 20, 0)]
    public void The_deadline_on_the_wire_includes_the_wait(int? wait, int? whole, int dialWait, int dialDeadline)
    {
        var dial = new ConnectRequest(DialTarget.Of("a.b", 1))
        {
            Wait = wait is null ? null : TimeSpan.FromSeconds(wait.Value),
            Deadline = whole is null ? null : TimeSpan.FromSeconds(whole.Value),
        }.ToDialRequest(TimeSpan.FromSeconds(5));
        Assert.Equal((dialWait, dialDeadline), ((int)dial.Wait.TotalSeconds, (int)dial.Deadline.TotalSeconds));
    }

    [Fact]
    public void A_deadline_beyond_the_longest_counts_as_the_longest()
    {
        var parse = Parse("CONNECT a.b:1 HTTP/1.1\r\nWhip-Deadline: 2147483647\r\n\r\n");
        Assert.Equal(ConnectRequest.MaxDeadline, parse.Head?.Deadline);
    }

    private static HeadParse<ConnectRequest> Parse(string head) => ConnectRequest.Parse(Encoding.Latin1.GetBytes(head));
}
