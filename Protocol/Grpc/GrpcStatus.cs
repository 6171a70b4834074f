namespace Whip.Protocol.Grpc;

/// <summary>How a call ended: a code and a printable line.</summary>
internal readonly record struct GrpcStatus(GrpcStatusCode Code, string Message)
{
    public static GrpcStatus Ok => new(GrpcStatusCode.Ok, "");

    public override string ToString() => Message.Length == 0 ? Code.ToString() : $"{Code}: {Message}";
}
