using System.IO.Pipelines;
using System.Net.Security;

namespace Whip.Hosting.Grpc;

/// <summary>The decrypted side of a TLS connection, as the pipes Kestrel reads and writes.</summary>
internal sealed class TlsTransport(SslStream stream) : IDuplexPipe, IAsyncDisposable
{
    public PipeReader Input { get; } = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true, useZeroByteReads: true));

    public PipeWriter Output { get; } = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));

    /// <summary>Says close_notify if the peer still listens.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await Input.CompleteAsync();
            await Output.CompleteAsync();
            await stream.ShutdownAsync();
        }
        catch (Exception)
        {
            // The connection was cut, or its session has failed, for which SslStream throws exceptions of OpenSSL.
        }

        await stream.DisposeAsync();
    }
}
