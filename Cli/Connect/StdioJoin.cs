using Whip.Protocol.Legs;

namespace Whip.Cli.Connect;

/// <summary>
/// Copies the input to a dial, and the dial to the output. The end of the input half-closes the dial. The end of the dial ends the output and
/// the join, although a read of the input may still be pending. Neither that nor a write to an output that nobody reads can be cancelled, and a
/// join that is cancelled waits for neither.
/// </summary>
internal sealed class StdioJoin(Stream input, Stream output, WhipStream remote)
{
    private const int BufferSize = 64 * 1024;

    private string? _problem;

    /// <summary>Returns null if the dial ended cleanly, else one line with the reason.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; the dial is reset.</exception>
    public async Task<string?> RunAsync(CancellationToken cancellationToken)
    {
        var sending = SendAsync();
        try
        {
            await ReceiveAsync().WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            remote.Abort();
            throw;
        }

        if (sending.IsFaulted)
        {
            await sending;
        }

        return _problem;
    }

    private async Task SendAsync()
    {
        var buffer = new byte[BufferSize];
        try
        {
            while (await ReadInputAsync(buffer) is > 0 and var read)
            {
                await remote.WriteAsync(buffer.AsMemory(0, read));
            }

            await remote.CompleteWritesAsync();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The dial broke or has ended, which the receiving side reports.
        }
    }

    private async Task<int> ReadInputAsync(byte[] buffer)
    {
        try
        {
            return await input.ReadAsync(buffer);
        }
        catch (IOException error)
        {
            Break($"standard input: {error.Message}");
            throw;
        }
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[BufferSize];
        try
        {
            while (await remote.ReadAsync(buffer) is > 0 and var read)
            {
                await WriteOutputAsync(buffer.AsMemory(0, read));
            }

            await output.DisposeAsync();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            Break($"the connection broke: {error.Message}");
        }
    }

    private async Task WriteOutputAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await output.WriteAsync(bytes);
        }
        catch (IOException error)
        {
            Break($"standard output: {error.Message}");
            throw;
        }
    }

    // Only the first reason is reported.
    private void Break(string problem)
    {
        Interlocked.CompareExchange(ref _problem, problem, null);
        remote.Abort();
    }
}
