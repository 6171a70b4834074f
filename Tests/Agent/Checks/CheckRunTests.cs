using System.Net;
using System.Net.Sockets;
using System.Text;
using Whip.Agent;
using Whip.Agent.Checks;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Tests.Agent.Checks;

/// <summary>One check, against a service that answers what the test says.</summary>
public sealed class CheckRunTests : IDisposable
{
    private readonly TcpListener _service = new(IPAddress.Loopback, 0);
    private readonly TempFolder _folder = new();

    public CheckRunTests() => _service.Start();

    public void Dispose()
    {
        _service.Stop();
        _folder.Dispose();
    }

    private static readonly string LongHead = $"HTTP/1.1 200 OK\r\nX: {new string('x', 20_000)}\r\n\r\n";

    public static TheoryData<string, bool, string, int> Answers => new()
    {
        { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true, nameof(CheckFailure.Other), 0 },
        { "HTTP/1.1 204 No Content\r\n\r\n", true, nameof(CheckFailure.Other), 0 },
        { "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", true, nameof(CheckFailure.Other), 0 },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\nonly a part", true, nameof(CheckFailure.Other), 0 },
        { "HTTP/1.0 200 OK\r\n\r\n", true, nameof(CheckFailure.Other), 0 },
        { "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false, nameof(CheckFailure.Status), 404 },
        { "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100000\r\n\r\nx", false, nameof(CheckFailure.Status), 503 },
        { "SSH-2.0-OpenSSH_9.2\r\n", false, nameof(CheckFailure.NotHttp), 0 },
        { LongHead, false, nameof(CheckFailure.NotHttp), 0 },
        { "HTTP/1.1 200 OK\r\nContent-", false, nameof(CheckFailure.Lost), 0 },
        { "", false, nameof(CheckFailure.Lost), 0 },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task The_head_of_an_answer_is_the_verdict(string answer, bool isOk, string failure, int status)
    {
        using var run = Run("http:/healthz?deep=1");
        var checking = run.RunAsync(default);
        using var connection = new NetworkStream(await _service.AcceptSocketAsync().WaitAsync(Patience.Long), ownsSocket: true);
        var head = await ReadHeadAsync(connection);
        Assert.StartsWith("GET /healthz?deep=1 HTTP/1.1\r\nHost: a.testdom:80\r\nConnection: close\r\nUser-Agent: whip-agent/", head);
        await connection.WriteAsync(Encoding.ASCII.GetBytes(answer));
        connection.Socket.Shutdown(SocketShutdown.Send);
        var result = await checking.WaitAsync(Patience.Long);
        Assert.Equal((isOk, failure, status), (result.IsOk, $"{result.Failure}", result.Status));

        // The connection is not kept, and nothing follows a redirect.
        await ReadToGoneAsync(connection);
        Assert.False(_service.Pending());
    }

    [Fact]
    public async Task A_service_that_says_nothing_fails_when_the_time_of_the_check_has_passed()
    {
        using var run = Run("http:/", options => options.CheckTimeout = TimeSpan.FromMilliseconds(50));
        Assert.Equal(CheckFailure.Timeout, (await run.RunAsync(default).WaitAsync(Patience.Long)).Failure);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("http:/")]
    public async Task A_service_that_is_not_there_is_refused_and_a_check_connects_anew_each_time(string check)
    {
        using var run = Run(check);
        if (check == "tcp")
        {
            for (var i = 0; i < 2; i++)
            {
                Assert.True((await run.RunAsync(default).WaitAsync(Patience.Long)).IsOk);
                using var connection = new NetworkStream(await _service.AcceptSocketAsync().WaitAsync(Patience.Long), ownsSocket: true);
                Assert.Equal(0, await connection.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience.Long));
            }
        }

        _service.Stop();
        var refused = await run.RunAsync(default).WaitAsync(Patience.Long);
        Assert.Equal((false, CheckFailure.Refused), (refused.IsOk, refused.Failure));
    }

    [Fact]
    public async Task A_check_goes_to_the_target_of_its_port()
    {
        var path = _folder.PathOf("app.sock");
        using var run = Run("http:/", options => options.Ports = [new(80, $"unix:{path}")]);
        Assert.Equal(CheckFailure.Unreachable, (await run.RunAsync(default).WaitAsync(Patience.Long)).Failure);
        using var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        unix.Bind(new UnixDomainSocketEndPoint(path));
        unix.Listen();
        var checking = run.RunAsync(default);
        using var connection = new NetworkStream(await unix.AcceptAsync().WaitAsync(Patience.Long), ownsSocket: true);
        await ReadHeadAsync(connection);
        await connection.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray());
        Assert.True((await checking.WaitAsync(Patience.Long)).IsOk);
    }

    private static async Task<string> ReadHeadAsync(NetworkStream connection)
    {
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            head.Append((char)(await connection.ReadExactlyAsync(1))[0]);
        }

        return head.ToString();
    }

    private static async Task ReadToGoneAsync(NetworkStream connection)
    {
        try
        {
            Assert.Equal(0, await connection.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience.Long));
        }
        catch (IOException)
        {
        }
    }

    private CheckRun Run(string check, Action<WhipAgentOptions>? change = null)
    {
        var options = new WhipAgentOptions
        {
            Hostname = "a",
            Domain = "testdom",
            Ports = [new(80, $"{((IPEndPoint)_service.LocalEndpoint).Port}")],
            Checks = [$"80={check}"],
            CheckTimeout = Patience.Long,
            Endpoints = [":1"],
        };
        change?.Invoke(options);
        var settings = AgentSettings.Check(options);
        return new CheckRun(settings, settings.Checks[0], new Connector(TimeProvider.System), TimeProvider.System);
    }
}
