using System.Runtime.InteropServices;
using Whip.Protocol.Tls;

namespace Whip.Tests.Protocol.Tls;

public sealed class OpenSslBuffersTests
{
    private const int ControlMode = 33;
    private const int ReleaseBuffers = 0x10;

    [Fact]
    public void Every_tls_context_that_is_made_from_then_on_gives_back_empty_buffers()
    {
        Assert.True(OpenSslBuffers.Release());
        Assert.True(OpenSslBuffers.Release());
        var context = SSL_CTX_new(TLS_method());
        Assert.Equal(ReleaseBuffers, SSL_CTX_ctrl(context, ControlMode, new CLong(0), 0).Value & ReleaseBuffers);
        SSL_CTX_free(context);
    }

    [DllImport("libssl.so.3")]
    private static extern nint TLS_method();

    [DllImport("libssl.so.3")]
    private static extern nint SSL_CTX_new(nint method);

    [DllImport("libssl.so.3")]
    private static extern CLong SSL_CTX_ctrl(nint context, int command, CLong number, nint pointer);

    [DllImport("libssl.so.3")]
    private static extern void SSL_CTX_free(nint context);
}
