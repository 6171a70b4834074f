using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using Whip.Protocol.Grpc;

namespace Whip.Hosting.Grpc;

/// <summary>
/// One call of a connection: runs the service over it and says which status ends it. <paramref name="aborted"/>: the peer has gone,
/// the call's deadline has passed or the server stops, of which <paramref name="stopping"/> tells the last.
/// </summary>
internal sealed class RunningCall(AdmittedConnection connection, PipeWriter body, ILogger logger, CancellationToken aborted, CancellationToken stopping)
{
    public static readonly GrpcStatus Stopping = new(GrpcStatusCode.Unavailable, "the broker is stopping");

    public async Task<GrpcStatus> RunAsync<TRequest, TResponse>(
        Func<IControlStream<TRequest, TResponse>, CancellationToken, Task<GrpcStatus>> serve,
        Func<CancellationToken, ValueTask<TRequest?>> read,
        Func<TResponse, Task> write)
        where TRequest : class
    {
        var status = await ServeAsync(serve, new ControlStream<TRequest, TResponse>(connection, read, write, body, aborted));
        return !aborted.IsCancellationRequested ? status
            : stopping.IsCancellationRequested ? Stopping
            : new GrpcStatus(GrpcStatusCode.DeadlineExceeded, "the call's deadline has passed");
    }

    private async Task<GrpcStatus> ServeAsync<TRequest, TResponse>(
        Func<IControlStream<TRequest, TResponse>, CancellationToken, Task<GrpcStatus>> serve, ControlStream<TRequest, TResponse> stream)
        where TRequest : class
    {
        try
        {
            await using (stream)
            {
                return await serve(stream, aborted);
            }
        }
        catch (GrpcStatusException exception)
        {
            return exception.Status;
        }
        catch (Exception) when (aborted.IsCancellationRequested)
        {
            return new GrpcStatus(GrpcStatusCode.Cancelled, "");
        }
        catch (Exception exception)
        {
            ControlServerLog.ServiceFailed(logger, exception);
            return new GrpcStatus(GrpcStatusCode.Internal, "the broker failed");
        }
    }
}
