using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Whip.Hosting.Flags;
using Whip.Protocol.Options;

namespace Whip.Hosting.Listening;

/// <summary>
/// Binds the addresses of a program. A port that is in use although nobody listens there was given by the kernel to an outgoing connection, and may be
/// free soon: it is waited for.
/// </summary>
/// <param name="logger">Gets one line for each address that is waited for.</param>
/// <param name="time">The clock of the wait.</param>
/// <param name="nameOf">The user's name for an option.</param>
internal sealed class PortBinder(ILogger logger, TimeProvider time, Func<string, string> nameOf)
{
    /// <summary>The kernel keeps the port of a connection that has ended for a minute.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <returns>What <paramref name="bind"/> returns; null if the address is off.</returns>
    /// <inheritdoc cref="BindAsync{T}(string, string, ListenAddress, bool, Func{IPEndPoint, Task{T}}, CancellationToken)"/>
    public async Task<T?> BindAsync<T>(
        string option, string text, bool loopbackOnly, Func<IPEndPoint, Task<T>> bind, CancellationToken cancellationToken)
        where T : class => ListenAddress.ParseOrOff(option, text) is { } address
            ? await BindAsync(option, text, address, loopbackOnly, bind, cancellationToken)
            : null;

    /// <param name="option">The option that names the address.</param>
    /// <param name="text">Its value.</param>
    /// <param name="address">The same, parsed.</param>
    /// <param name="loopbackOnly">For <see cref="ListenAddress.Resolve"/>.</param>
    /// <param name="bind">Tries once; it may be called many times.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="WhipOptionException">The address cannot be bound.</exception>
    public async Task<T> BindAsync<T>(
        string option, string text, ListenAddress address, bool loopbackOnly, Func<IPEndPoint, Task<T>> bind, CancellationToken cancellationToken)
        where T : class
    {
        var startedAt = time.GetTimestamp();
        for (var isFirst = true; ; isFirst = false)
        {
            IPEndPoint? endPoint = null;
            try
            {
                endPoint = address.Resolve(loopbackOnly);
                return await bind(endPoint);
            }
            catch (Exception error) when (error is SocketException or IOException)
            {
                if (!ListenAddress.IsInUse(error) || time.GetElapsedTime(startedAt) >= Patience || ListeningSockets.HasAny(endPoint!))
                {
                    throw ListenAddress.BindFailure(option, text, error);
                }
            }

            if (isFirst)
            {
                ListeningLog.WaitingForPort(logger, nameOf(option), text, time.GetUtcNow() + Patience);
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }
}
