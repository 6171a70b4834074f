using System.Buffers.Binary;
using System.Text;

namespace Whip.Hosting.Listening;

/// <summary>
/// Ends the first call of a gRPC client with a status, on a port that serves something else: as little of HTTP/2 as an agent of any make needs to be
/// told its mistake.
/// </summary>
internal static class GrpcRefusal
{
    private const int PrefaceLength = 24;
    private const int FrameHeadLength = 9;
    private const int MaxFrame = 16 * 1024;

    // A client sends its settings, a window update and its call.
    private const int MaxFrames = 16;

    private const byte HeadersKind = 1;
    private const byte SettingsKind = 4;
    private const byte GoAwayKind = 7;
    private const byte Acknowledged = 1;
    private const byte EndOfStreamAndHeaders = 5;

    // The entry ":status 200" of HPACK's static table.
    private const byte StatusOk = 0x88;

    // FAILED_PRECONDITION: the caller must change something first.
    private const string Status = "9";

    /// <summary>Reads from the preface on.</summary>
    /// <exception cref="IOException">The client has gone.</exception>
    public static async Task AnswerAsync(Stream input, Stream output, string problem, CancellationToken cancellationToken)
    {
        // A client may wait for the settings before it calls.
        await output.WriteAsync(Frame(SettingsKind, 0, 0, []), cancellationToken);
        var buffer = new byte[MaxFrame];
        await input.ReadExactlyAsync(buffer.AsMemory(0, PrefaceLength), cancellationToken);
        for (var frames = 0; frames < MaxFrames; frames++)
        {
            await input.ReadExactlyAsync(buffer.AsMemory(0, FrameHeadLength), cancellationToken);
            var (length, kind, stream) = (BinaryPrimitives.ReadInt32BigEndian(buffer) >>> 8, buffer[3], BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(5)));
            if (length > MaxFrame)
            {
                return;
            }

            await input.ReadExactlyAsync(buffer.AsMemory(0, length), cancellationToken);
            if (kind == HeadersKind)
            {
                await output.WriteAsync(Refusal(stream, problem), cancellationToken);
                break;
            }
        }

        // The client closes the connection when it has read that; closed here, with its message unread, it would be reset.
        for (var reads = 0; reads < MaxFrames && await input.ReadAsync(buffer, cancellationToken) > 0; reads++)
        {
        }
    }

    private static byte[] Refusal(int stream, string problem)
    {
        var last = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(last, stream);
        return
        [
            .. Frame(SettingsKind, Acknowledged, 0, []),
            .. Frame(HeadersKind, EndOfStreamAndHeaders, stream, Headers(problem)),
            .. Frame(GoAwayKind, 0, 0, last),
        ];
    }

    private static byte[] Frame(byte kind, byte flags, int stream, byte[] payload)
    {
        var head = new byte[FrameHeadLength];
        BinaryPrimitives.WriteInt32BigEndian(head, payload.Length << 8);
        (head[3], head[4]) = (kind, flags);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(5), stream);
        return [.. head, .. payload];
    }

    private static byte[] Headers(string problem)
    {
        List<byte> block = [StatusOk];
        Add("content-type", "application/grpc");
        Add("grpc-status", Status);
        Add("grpc-message", problem.Replace("%", "%25", StringComparison.Ordinal));
        return [.. block];

        void Add(string name, string value)
        {
            // A literal with a name of its own, not indexed.
            block.Add(0);
            AddText(name);
            AddText(value);
        }

        void AddText(string text)
        {
            const int Prefix = 127;
            var length = text.Length;
            block.Add((byte)Math.Min(length, Prefix));
            if (length >= Prefix)
            {
                for (length -= Prefix; length >= 128; length /= 128)
                {
                    block.Add((byte)((length % 128) + 128));
                }

                block.Add((byte)length);
            }

            block.AddRange(Encoding.ASCII.GetBytes(text));
        }
    }
}
