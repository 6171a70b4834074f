using Grpc.Core;
using Whip.Protocol.ControlStreams;
using Whip.Protocol.Messages;
using Whip.Tests.Broker.Listening;

namespace Whip.Tests.Agent;

/// <summary>The broker's end of one control stream.</summary>
internal sealed class ScriptedStream(ServedCall call, ScriptedBroker broker, Register register)
{
    public Register Register => register;

    /// <summary>Accepts the registration as a broker of ours does.</summary>
    public Task AcceptAsync(string brokerId, params string[] legEndpoints) =>
        SendAsync(new ResponseStream { Registered = new Registered { StreamId = "1", BrokerId = brokerId, LegEndpoints = { legEndpoints } } });

    public Task SendAsync(ResponseStream message) => call.WriteAsync(message);

    /// <summary>Asks for a leg to the broker's own listener, unless <paramref name="change"/> says otherwise.</summary>
    public Task ConnectAsync(string id, int localPort, Action<Connect>? change = null)
    {
        var connect = new Connect { ConnectionID = id, Host = "127.0.0.1", Port = (uint)broker.LegPort, LocalPort = (uint)localPort };
        change?.Invoke(connect);
        return SendAsync(new ResponseStream { Connect = connect });
    }

    /// <summary>The agent's next message; its pings are skipped. Null: it sends no more.</summary>
    public async Task<RequestStream?> NextAsync()
    {
        while (true)
        {
            var message = await call.ReadAsync();
            if (message is not { StreamCase: RequestStream.StreamOneofCase.Ping })
            {
                return message;
            }
        }
    }

    /// <summary>The agent's next message, which is a ping.</summary>
    public async Task<Ping> NextPingAsync() => (await call.ReadAsync())!.Ping;

    /// <summary>Answers the agent's pings for as long as it sends; ends when it detaches or is gone.</summary>
    public async Task AnswerPingsAsync()
    {
        try
        {
            while (await call.ReadAsync() is { } message)
            {
                if (message.Ping is { } ping)
                {
                    await SendAsync(new ResponseStream { Pong = new Pong { Sequence = ping.Sequence } });
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or RpcException)
        {
        }

        End(Status.DefaultSuccess);
    }

    public async Task<string> FailureAsync(string id)
    {
        var failed = (await NextAsync())!.ConnectFailed;
        Assert.Equal(id, failed.ConnectionID);
        return failed.ErrorMessage;
    }

    /// <summary>The agent ended its direction and cancelled nothing.</summary>
    public async Task DetachedAsync() => Assert.Null(await NextAsync());

    public void End(Status status) => call.End.TrySetResult(status);

    /// <summary>Ends it as a broker that takes no agents at the moment.</summary>
    public void EndNotYet()
    {
        call.Trailers.Add(ControlConnection.RetryTrailer, "1000");
        End(new Status(StatusCode.Unavailable, "not yet"));
    }
}
