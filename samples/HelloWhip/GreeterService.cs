using Grpc.Core;
using Microsoft.AspNetCore.Authorization;

namespace HelloWhip;

/// <summary>Greets every dialer whose certificate the policy allows.</summary>
[Authorize("dialers")]
internal sealed class GreeterService : Greeter.GreeterBase
{
    /// <inheritdoc/>
    public override async Task Greet(
        IAsyncStreamReader<GreetRequest> requestStream, IServerStreamWriter<GreetReply> responseStream, ServerCallContext context)
    {
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            await responseStream.WriteAsync(new GreetReply { Message = $"Hello {requestStream.Current.Name}" });
        }
    }
}
