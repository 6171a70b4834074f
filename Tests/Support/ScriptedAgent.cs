using System.Threading.Channels;
using Grpc.Core;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;

namespace Whip.Tests.Support;

/// <summary>An agent that does nothing by itself but answer pings: the test decides what becomes of each Connect.</summary>
internal sealed class ScriptedAgent : IAsyncDisposable
{
    private readonly TestBroker _broker;
    private readonly ControlCall _call;
    private readonly Channel<ResponseStream> _received = Channel.CreateUnbounded<ResponseStream>();
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Task _reading;

    private ScriptedAgent(TestBroker broker, ControlCall call, string name)
    {
        _broker = broker;
        _call = call;
        Name = name;
        _reading = ReadAsync();
    }

    public string Name { get; }

    /// <summary>False: it reads pings and does not answer.</summary>
    public bool AnswersPings { get; set; } = true;

    /// <summary>How the stream ended, once it has.</summary>
    public Status? End { get; private set; }

    public Task Ended => _reading;

    public static async Task<ScriptedAgent> RegisterAsync(TestBroker broker, string name, IEnumerable<int> ports, Action<Register>? change = null)
    {
        Assert.True(InstanceName.TryParse(name, out var instance));
        var register = new Register { Hostname = instance.Hostname, Domain = instance.Domain, AgentId = Guid.NewGuid().ToString("N"), Generation = 1 };
        register.Ports.AddRange(ports.Select(port => (uint)port));
        change?.Invoke(register);
        var agent = await OpenAsync(broker, name);
        var before = CountStreams();
        await agent.WriteAsync(new RequestStream { Register = register });
        if (register.AgentId.Length > 0)
        {
            await agent.NextAsync(ResponseStream.StreamOneofCase.Registered);
        }
        else
        {
            // An original agent is told nothing, and its stream ends no other.
            await Patience.UntilAsync(() => CountStreams() > before, "the registration");
        }

        return agent;

        int CountStreams() => broker.Parts.Streams.All.Count(stream => stream.Route.Name.FullName == name);
    }

    /// <summary>A stream that has said nothing yet.</summary>
    public static async Task<ScriptedAgent> OpenAsync(TestBroker broker, string name)
    {
        var call = await ControlCall.OpenAsync(broker.Broker.GrpcEndPoint!, broker.Client(name), HostPort.Of("127.0.0.1", 1));
        return new ScriptedAgent(broker, call, name);
    }

    /// <summary>When the broker ends the call meanwhile, <see cref="End"/> tells.</summary>
    public async Task WriteAsync(RequestStream message)
    {
        await _writing.WaitAsync();
        try
        {
            await _call.WriteAsync(message);
        }
        catch (Exception error) when (error is RpcException or IOException or HttpRequestException)
        {
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>The next message of these kinds; others before it are dropped.</summary>
    public async Task<ResponseStream> NextAsync(params ResponseStream.StreamOneofCase[] kinds)
    {
        using var deadline = new CancellationTokenSource(Patience.Long);
        while (true)
        {
            var message = await _received.Reader.ReadAsync(deadline.Token);
            if (kinds.Contains(message.StreamCase))
            {
                return message;
            }
        }
    }

    public async Task<Connect> NextConnectAsync() => (await NextAsync(ResponseStream.StreamOneofCase.Connect)).Connect;

    public Task FailAsync(Connect connect, string reason) =>
        WriteAsync(new RequestStream { ConnectFailed = new ConnectFailed { ConnectionID = connect.ConnectionID, ErrorMessage = reason } });

    /// <summary>Says that it sends no more.</summary>
    public Task CompleteAsync() => _call.CompleteAsync();

    /// <summary>A leg to the rendezvous that has not sent its preamble.</summary>
    public async Task<Leg> OpenLegAsync(string? certificateName = null)
    {
        var leg = await Leg.ConnectAsync(_broker.Broker.TcpEndPoint!, default).WaitAsync(Patience.Long);
        if (_broker.Client(certificateName ?? Name) is { } identity)
        {
            await leg.AuthenticateAsClientAsync(identity, "127.0.0.1", default).WaitAsync(Patience.Long);
        }

        return leg;
    }

    /// <summary>The leg a Connect asks for.</summary>
    public async Task<Leg> BringLegAsync(Connect connect)
    {
        var leg = await OpenLegAsync();
        await leg.WriteAsync(LegPreamble.Write(connect.ConnectionID));
        return leg;
    }

    public async ValueTask DisposeAsync()
    {
        _call.Dispose();
        await _reading.WaitAsync(Patience.Long);
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _call.NextAsync() is { } message)
            {
                if (message.Ping is { } ping && AnswersPings)
                {
                    await WriteAsync(new RequestStream { Pong = new Pong { Sequence = ping.Sequence, PingTimestamp = ping.PingTimestamp } });
                }

                await _received.Writer.WriteAsync(message);
            }

            End = Status.DefaultSuccess;
        }
        catch (RpcException error)
        {
            End = error.Status;
        }
        catch (ObjectDisposedException)
        {
            End = new Status(StatusCode.Cancelled, "disposed");
        }
        finally
        {
            _received.Writer.TryComplete();
        }
    }
}
