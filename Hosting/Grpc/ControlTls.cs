using System.Net.Security;

namespace Whip.Hosting.Grpc;

/// <summary>
/// TLS beneath Kestrel, which logs a write that throws as a fault of its own. A session that fails does so under its reader too,
/// who ends the connection; so what cannot be encrypted any more is dropped.
/// </summary>
internal sealed class ControlTls(Stream transport) : SslStream(transport)
{
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            await base.WriteAsync(buffer, cancellationToken);
        }
        catch (IOException)
        {
        }
    }
}
