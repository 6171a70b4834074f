using System.Threading.Channels;
using Google.Protobuf;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using Whip.Registry.Peers;
using Whip.Registry.Routes;

namespace Whip.Broker.Peers;

/// <summary>A link past its greeting, at the broker that answers. Requests are answered in their order.</summary>
internal sealed class AnsweredLink(IPeerStream stream, LocalRoutes routes, TimeProvider time)
{
    private const int MaxZoneLength = 256;

    /// <summary>A broker that lives pings far more often.</summary>
    private static readonly TimeSpan SilenceTimeout = TimeSpan.FromSeconds(15);

    private readonly Channel<PeerReply> _outgoing = Channel.CreateBounded<PeerReply>(PeerSession.QueueCapacity);

    /// <summary>Runs until either side ends it. Returns what the call ends with.</summary>
    public async Task<GrpcStatus> RunAsync(byte[] process, CancellationToken aborted)
    {
        using var silence = new CancellationTokenSource(SilenceTimeout, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(aborted, silence.Token);
        using var watches = new AnsweredWatches(routes, name => Send(new PeerReply { Announced = name }));
        Send(new PeerReply { Welcome = new PeerWelcome { Process = ByteString.CopyFrom(process) } });
        var reading = ReadAsync(watches, silence, over.Token);
        var writing = WriteAsync(watches, over.Token);
        try
        {
            await await Task.WhenAny(reading, writing);
            return GrpcStatus.Ok;
        }
        catch (GrpcStatusException error)
        {
            return error.Status;
        }
        catch (OperationCanceledException) when (silence.IsCancellationRequested && !aborted.IsCancellationRequested)
        {
            return new GrpcStatus(GrpcStatusCode.DeadlineExceeded, $"no ping for {SilenceTimeout.TotalSeconds:0} s");
        }
        catch (OperationCanceledException)
        {
            return new GrpcStatus(GrpcStatusCode.Cancelled, "the broker is gone");
        }
        finally
        {
            await over.CancelAsync();
            _outgoing.Writer.TryComplete();
            await Task.WhenAll(reading, writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadAsync(AnsweredWatches watches, CancellationTokenSource silence, CancellationToken over)
    {
        while (await stream.ReadAsync(over) is { } request)
        {
            silence.CancelAfter(SilenceTimeout);
            switch (request.RequestCase)
            {
                case PeerRequest.RequestOneofCase.Ping:
                    watches.Arm();
                    Send(new PeerReply { Pong = request.Ping });
                    break;
                case PeerRequest.RequestOneofCase.Lookup:
                    Send(new PeerReply { Report = PeerMessages.ToMessage(routes.Report(Query(request.Lookup)), request.Lookup.Id) });
                    break;
                case PeerRequest.RequestOneofCase.Watch:
                    watches.Add(Name(request.Watch));
                    break;
                case PeerRequest.RequestOneofCase.Unwatch:
                    watches.Remove(Name(request.Unwatch));
                    break;
                case PeerRequest.RequestOneofCase.Hello or PeerRequest.RequestOneofCase.Proof:
                    throw Wrong("a link greets once");
                case PeerRequest.RequestOneofCase.None:
                    // A message of a later version: skipped.
                    break;
            }
        }
    }

    private async Task WriteAsync(AnsweredWatches watches, CancellationToken over)
    {
        await foreach (var reply in _outgoing.Reader.ReadAllAsync(over))
        {
            if (reply.ReplyCase == PeerReply.ReplyOneofCase.Announced)
            {
                watches.Rearm(reply.Announced);
            }

            await stream.WriteAsync(reply, over);
        }
    }

    private void Send(PeerReply reply)
    {
        if (!_outgoing.Writer.TryWrite(reply))
        {
            _outgoing.Writer.TryComplete(new GrpcStatusException(new GrpcStatus(GrpcStatusCode.ResourceExhausted, "the broker does not read its link")));
        }
    }

    private static NameQuery Query(PeerLookup lookup) => lookup is { Port: >= 1 and <= 65535, Zone.Length: <= MaxZoneLength }
        ? new NameQuery(Name(lookup.Name), (int)lookup.Port, lookup.Zone)
        : throw Wrong("a port is 1 to 65535 and a zone short");

    private static string Name(string text) =>
        DnsName.TryNormalize(text, out var name) ? name : throw Wrong($"\"{Printable.Clean(text, 64)}\" is no name");

    private static GrpcStatusException Wrong(string problem) => new(new GrpcStatus(GrpcStatusCode.InvalidArgument, problem));
}
