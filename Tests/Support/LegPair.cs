using System.Net;
using System.Net.Sockets;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Tests.Support;

/// <summary>Two connected legs over loopback, plain or mTLS: <see cref="Near"/> dialled, <see cref="Far"/> accepted.</summary>
internal sealed class LegPair : IAsyncDisposable
{
    private LegPair(Leg near, Leg far)
    {
        Near = near;
        Far = far;
    }

    public Leg Near { get; }

    public Leg Far { get; }

    /// <param name="tls">Mutual TLS.</param>
    /// <param name="watch">Of <see cref="Near"/>.</param>
    /// <param name="small">With the least of buffers in the kernel, so that a reader that stops is felt soon.</param>
    public static async Task<LegPair> ConnectAsync(bool tls, LegWatch? watch = null, bool small = false)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        if (small)
        {
            listener.Server.ReceiveBufferSize = listener.Server.SendBufferSize = 1;
        }

        listener.Start();
        var accepting = listener.AcceptSocketAsync();
        var to = (IPEndPoint)listener.LocalEndpoint;
        var near = await new Connector(TimeProvider.System, watch).ConnectAsync([to.Address], to.Port, default).WaitAsync(Patience.Long);
        var far = new Leg(await accepting.WaitAsync(Patience.Long));
        if (tls)
        {
            var certificates = TestCertificates.Shared;
            await Task.WhenAll(
                near.AuthenticateAsClientAsync(certificates.ClientIdentity("a.testdom"), "127.0.0.1", default),
                far.AuthenticateAsServerAsync(certificates.BrokerIdentity, PeerRole.Client, default)).WaitAsync(Patience.Long);
        }

        return new LegPair(near, far);
    }

    public async ValueTask DisposeAsync()
    {
        Near.Abort();
        Far.Abort();
        await Near.DisposeAsync();
        await Far.DisposeAsync();
    }
}

internal static class LegReading
{
    /// <summary>Everything until the clean end of the stream.</summary>
    public static async Task<byte[]> ReadToEndAsync(this Stream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all).WaitAsync(Patience.Long);
        return all.ToArray();
    }

    public static async Task<byte[]> ReadExactlyAsync(this Stream stream, int count)
    {
        var buffer = new byte[count];
        await stream.ReadExactlyAsync(buffer).AsTask().WaitAsync(Patience.Long);
        return buffer;
    }
}
