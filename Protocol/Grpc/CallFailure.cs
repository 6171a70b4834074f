using System.Net;
using Whip.Protocol.Names;

namespace Whip.Protocol.Grpc;

/// <summary>What a call that failed below gRPC ended with, by gRPC's tables for HTTP statuses and HTTP/2 error codes.</summary>
internal static class CallFailure
{
    public static readonly GrpcStatus NoStatus = new(GrpcStatusCode.Unknown, "the peer ended the call without a status");

    /// <returns>Why the head of a response is none of a call; null when it is one.</returns>
    public static GrpcStatus? FromHead(HttpResponseMessage response)
    {
        var contentType = response.Content.Headers.ContentType?.ToString();
        if (response.StatusCode != HttpStatusCode.OK || !GrpcWire.IsGrpc(contentType))
        {
            return StatusText.Of(response) ?? FromHttp(response.StatusCode, contentType);
        }

        return response.Headers.NonValidated.TryGetValues(GrpcWire.EncodingHeader, out var encoding) && !GrpcWire.IsIdentity(encoding.ToString())
            ? new GrpcStatus(GrpcStatusCode.Internal, "the peer compresses with an encoding that was not offered")
            : null;
    }

    /// <summary>A broker that refuses a certificate may just hang up, since TLS 1.3 judges it when our handshake is over.</summary>
    public static GrpcStatusException BeforeAnswer(Exception exception)
    {
        var failure = From(exception);
        return failure.Status.Code != GrpcStatusCode.Unavailable ? failure : Unavailable(
            "the broker ended the connection before it answered; its log tells whether it refused our certificate", exception);
    }

    /// <summary>An exception of the HTTP stack; the innermost one tells what happened.</summary>
    public static GrpcStatusException From(Exception exception)
    {
        for (Exception? at = exception; at is not null; at = at.InnerException)
        {
            switch (at)
            {
                case GrpcStatusException known:
                    return known;
                case HttpProtocolException reset:
                    return new GrpcStatusException(FromHttp2(reset.ErrorCode), exception);
                case OperationCanceledException:
                    return new GrpcStatusException(new GrpcStatus(GrpcStatusCode.Cancelled, "the call was cancelled"), exception);
            }
        }

        var message = exception.GetBaseException().Message;
        return HandshakeProblem.IsAlert(exception)
            ? new GrpcStatusException(new GrpcStatus(GrpcStatusCode.PermissionDenied, Printable.Clean(message)), exception)
            : Unavailable(message, exception);
    }

    public static GrpcStatusException Unavailable(string message, Exception? cause = null) =>
        new(new GrpcStatus(GrpcStatusCode.Unavailable, Printable.Clean(message)), cause);

    private static GrpcStatus FromHttp(HttpStatusCode status, string? contentType)
    {
        var code = (int)status switch
        {
            400 => GrpcStatusCode.Internal,
            401 => GrpcStatusCode.Unauthenticated,
            403 => GrpcStatusCode.PermissionDenied,
            404 => GrpcStatusCode.Unimplemented,
            429 or 502 or 503 or 504 => GrpcStatusCode.Unavailable,
            _ => GrpcStatusCode.Unknown,
        };
        return new GrpcStatus(code, $"the peer does not speak gRPC: HTTP {(int)status}, content type {Printable.Clean(contentType ?? "none", 64)}");
    }

    private static GrpcStatus FromHttp2(long errorCode)
    {
        var code = errorCode switch
        {
            0x7 => GrpcStatusCode.Unavailable,
            0x8 => GrpcStatusCode.Cancelled,
            0xB => GrpcStatusCode.ResourceExhausted,
            0xC => GrpcStatusCode.PermissionDenied,
            0x5 or 0xD => GrpcStatusCode.Unknown,
            _ => GrpcStatusCode.Internal,
        };
        return new GrpcStatus(code, $"the peer reset the call with HTTP/2 error 0x{errorCode:X}");
    }
}
