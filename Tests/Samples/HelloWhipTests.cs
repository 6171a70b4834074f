using System.Net;
using System.Net.WebSockets;
using System.Text.RegularExpressions;
using Grpc.Core;
using Grpc.Net.Client;
using HelloWhip;
using Whip.Client;

namespace Whip.Tests.Samples;

/// <summary>The sample as its user starts it, dialled through a real broker.</summary>
public sealed class HelloWhipTests
{
    private const string Address = "http://hello.testdom/";

    [Fact]
    public async Task The_sample_serves_its_dialers_and_listens_nowhere()
    {
        using var folder = new TempFolder();
        await using var broker = await StartBrokerAsync(folder);
        await using var sample = await StartSampleAsync(folder, broker);
        using var alice = Client(folder, broker, "alice.dialers");
        using var eve = Client(folder, broker, "eve.strangers");
        Assert.Equal("Hello from hello.testdom\n", await eve.GetStringAsync("/"));
        Assert.Equal("You are eve.strangers\n", await eve.GetStringAsync("/me"));
        Assert.Equal("You may dial\n", await alice.GetStringAsync("/secret"));
        using var refused = await eve.GetAsync("/secret");
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Empty(ListeningSockets(sample.Id));
        Assert.NotEmpty(ListeningSockets(broker.Id));

        using var socket = new ClientWebSocket();
        using var deadline = new CancellationTokenSource(Patience.Long);
        await socket.ConnectAsync(new Uri("ws://hello.testdom/echo"), alice, deadline.Token);
        await socket.SendAsync("echo"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, deadline.Token);
        var echo = new byte[4];
        Assert.Equal(4, (await socket.ReceiveAsync(echo.AsMemory(), deadline.Token)).Count);
        Assert.Equal("echo"u8.ToArray(), echo);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", deadline.Token);
    }

    [Fact]
    public async Task A_call_goes_on_while_the_sample_drains_and_others_are_refused()
    {
        using var folder = new TempFolder();
        await using var broker = await StartBrokerAsync(folder);
        await using var sample = await StartSampleAsync(folder, broker);
        using var eve = Client(folder, broker, "eve.strangers");
        using var stranger = Channel(eve);
        using var denied = new Greeter.GreeterClient(stranger).Greet();
        Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(() => denied.ResponseStream.MoveNext(default))).StatusCode);

        using var alice = Client(folder, broker, "alice.dialers");
        using var channel = Channel(alice);
        using var call = new Greeter.GreeterClient(channel).Greet();
        Assert.Equal("Hello one", await GreetAsync(call, "one"));
        sample.Signal(ProcessSignal.Terminate);
        await broker.ErrorLineAsync("detached, stream");
        Assert.Equal("Hello two", await GreetAsync(call, "two"));
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(default));
        Assert.Equal(0, await sample.ExitCodeAsync());
    }

    private static async Task<string> GreetAsync(AsyncDuplexStreamingCall<GreetRequest, GreetReply> call, string name)
    {
        await call.RequestStream.WriteAsync(new GreetRequest { Name = name });
        Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(Patience.Long));
        return call.ResponseStream.Current.Message;
    }

    private static GrpcChannel Channel(HttpClient client) => GrpcChannel.ForAddress(Address, new GrpcChannelOptions { HttpClient = client });

    private static Task<WhipProcess> StartBrokerAsync(TempFolder folder) => WhipProcess.StartReadyAsync(
        "whip-broker",
        [
            .. Certificates.Flags(TestCertificates.Shared.WriteFiles(folder.FullName)), "--grpc-listen=127.0.0.1:0", "--tcp-listen=127.0.0.1:0",
            "--dial-listen=127.0.0.1:0", "--metrics-listen=", "--admin-listen=",
        ]);

    private static async Task<WhipProcess> StartSampleAsync(TempFolder folder, WhipProcess broker)
    {
        var tls = TestCertificates.Shared.WriteClientFiles(folder.FullName, "hello.testdom");
        var sample = WhipProcess.Start(
            "HelloWhip", [$"--broker={broker.Addresses["grpc"]}", $"--cert={tls.CertPath}", $"--key={tls.KeyPath}", $"--ca={tls.CaCertPath}"]);
        await sample.OutputLineAsync("Application started");
        await broker.ErrorLineAsync("hello.testdom registered");
        return sample;
    }

    private static HttpClient Client(TempFolder folder, WhipProcess broker, string name)
    {
        var dialer = new WhipDialer(new WhipDialerOptions
        {
            Brokers = [$"{broker.Addresses["dial"]}"],
            Tls = TestCertificates.Shared.WriteClientFiles(folder.FullName, name),
        });
        return new HttpClient(WhipHttp.CreateHandler(dialer, Patience.Long)) { BaseAddress = new Uri(Address), Timeout = Patience.Long };
    }

    /// <summary>As the kernel lists them, each by its inode.</summary>
    private static List<string> ListeningSockets(int process)
    {
        const string Listen = "0A";
        var own = Directory.EnumerateFiles($"/proc/{process}/fd")
            .Select(path => Regex.Match($"{new FileInfo(path).LinkTarget}", @"^socket:\[(\d+)\]$").Groups[1].Value)
            .ToHashSet();
        return [.. ((string[])["tcp", "tcp6"]).SelectMany(kind => File.ReadLines($"/proc/{process}/net/{kind}"))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields[3] == Listen && own.Contains(fields[9]))
            .Select(fields => fields[9])];
    }
}
