using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Hosting.Listening;

/// <summary>Tells a client that it has come to the wrong port, in the protocol that it speaks: of Kestrel's and Orleans' connections, and of legs.</summary>
internal static class WrongPort
{
    /// <summary>Looks at the first bytes without taking them.</summary>
    public static async ValueTask<Visitor> LookAsync(PipeReader input, PortKind port, CancellationToken cancellationToken)
    {
        var result = await input.ReadAtLeastAsync(Visitors.LeastStart, cancellationToken);
        var start = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, Visitors.MaxStart)).ToArray();
        input.AdvanceTo(result.Buffer.Start);
        return port.VisitorOf(start);
    }

    /// <inheritdoc cref="LookAsync(PipeReader, PortKind, CancellationToken)"/>
    /// <exception cref="IOException">The leg broke.</exception>
    public static async Task<Visitor> LookAsync(Leg leg, PortKind port, CancellationToken cancellationToken)
    {
        var start = new byte[Visitors.MaxStart];
        var length = 0;
        int read;
        do
        {
            read = await leg.ReadAsync(start.AsMemory(length), cancellationToken);
            length += read;
        }
        while (read > 0 && Visitors.MayBecomeAgent(start.AsSpan(0, length)));

        leg.Unread(start.AsSpan(0, length));
        return port.VisitorOf(start.AsSpan(0, length));
    }

    /// <summary>Answers, if the visitor speaks a protocol with answers. The caller then closes the connection.</summary>
    public static async Task TellAsync(ConnectionContext connection, Visitor visitor, string hint, CancellationToken cancellationToken)
    {
        var transport = connection.Transport;
        switch (visitor)
        {
            case Visitor.Agent:
                await GrpcRefusal.AnswerAsync(
                    transport.Input.AsStream(leaveOpen: true), transport.Output.AsStream(leaveOpen: true), Printable.Clean(hint), cancellationToken);
                break;
            case Visitor.AskingAgent or Visitor.Dialer or Visitor.Admin or Visitor.Browser:
                var body = Printable.Clean(hint) + "\n";
                var head = $"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n";
                await transport.Output.WriteAsync(Encoding.ASCII.GetBytes(head + body), cancellationToken);
                break;
            case Visitor.Leg:
                // To its agent an end of stream would be that of the dialer.
                connection.Abort(new ConnectionAbortedException("a leg"));
                break;
        }
    }

    /// <inheritdoc cref="TellAsync(ConnectionContext, Visitor, string, CancellationToken)"/>
    public static Task TellAsync(Leg leg, Visitor visitor, string hint, CancellationToken cancellationToken) => visitor switch
    {
        Visitor.Agent => AnswerAsync(leg, () => GrpcRefusal.AnswerAsync(leg, leg, Printable.Clean(hint), cancellationToken), cancellationToken),
        Visitor.AskingAgent or Visitor.Dialer or Visitor.Admin or Visitor.Browser =>
            AnswerAsync(leg, new ConnectResponse(DialOutcome.BadRequest, hint), cancellationToken),
        _ => Task.CompletedTask,
    };

    public static Task AnswerAsync(Leg leg, ConnectResponse answer, CancellationToken cancellationToken) =>
        AnswerAsync(leg, () => leg.WriteAsync(answer.ToBytes(), cancellationToken).AsTask(), cancellationToken);

    /// <summary>Writes an answer, ends the stream and reads a little more: unread bytes make the close a reset, which may overtake the answer.</summary>
    private static async Task AnswerAsync(Leg leg, Func<Task> write, CancellationToken cancellationToken)
    {
        try
        {
            await write();
            await leg.CompleteWritesAsync(cancellationToken);
            var scratch = new byte[4096];
            for (var reads = 0; reads < 8 && await leg.ReadAsync(scratch, cancellationToken) > 0; reads++)
            {
            }

            await leg.DisposeAsync();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The client has gone, or does not close its side.
        }
    }
}
