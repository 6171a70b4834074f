using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Whip.Protocol.Names;

namespace Whip.Hosting.Listening;

/// <summary>Tells a client of Kestrel's or Orleans' connections that it has come to the wrong port, in the protocol that it speaks.</summary>
internal static class WrongPort
{
    /// <summary>Looks at the first bytes without taking them.</summary>
    public static async ValueTask<Visitor> LookAsync(PipeReader input, CancellationToken cancellationToken)
    {
        var result = await input.ReadAtLeastAsync(Visitors.LeastStart, cancellationToken);
        var start = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, Visitors.MaxStart)).ToArray();
        input.AdvanceTo(result.Buffer.Start);
        return Visitors.Of(start);
    }

    /// <summary>Answers, if the visitor speaks a protocol with answers. The caller then closes the connection.</summary>
    public static async Task TellAsync(IDuplexPipe transport, Visitor visitor, string hint, CancellationToken cancellationToken)
    {
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
        }
    }
}
