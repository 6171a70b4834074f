namespace Whip.Protocol.Grpc;

/// <summary>Beneath grpc-dotnet: sees the one request leave and the head of its response come, and judges that.</summary>
internal sealed class ControlHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The connection stands and the request's head is sent.</summary>
    public Task Started => _started.Task;

    public HttpResponseMessage? Response { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Content = new OnceContent(request.Content!, _started, cancellationToken);
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        Response = response;
        if (CallFailure.FromHead(response) is not { } failure)
        {
            return response;
        }

        response.Dispose();
        throw new GrpcStatusException(failure);
    }
}
