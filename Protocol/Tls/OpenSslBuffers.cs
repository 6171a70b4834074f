using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Whip.Protocol.Tls;

/// <summary>
/// Has OpenSSL give back the buffers of a connection whenever they are empty: it otherwise keeps two of 17 KiB for as long as the connection lives.
/// SslStream has no setting for this, so every SSL_CTX of the process gets it when OpenSSL makes it.
/// </summary>
internal static class OpenSslBuffers
{
    private const string Crypto = "libcrypto.so.3";
    private const string Ssl = "libssl.so.3";
    private const long Version3 = 0x3_00_00_00_0;

    // Of <openssl/crypto.h> and <openssl/ssl.h>.
    private const int SslCtxClass = 1;
    private const int ControlMode = 33;
    private const int ReleaseBuffers = 0x10;

    // OpenSSL keeps the callback for the life of the process.
    private static readonly NewObject Callback = static (created, _, _, _, _, _) => _ = SSL_CTX_ctrl(created, ControlMode, new CLong(ReleaseBuffers), 0);

    private static readonly Lazy<bool> Applied = new(Apply);

    private delegate void NewObject(nint parent, nint value, nint data, int index, CLong number, nint pointer);

    /// <summary>For TLS contexts made from now on in this process; once.</summary>
    /// <returns>False where the runtime uses no OpenSSL of version 3, and nothing was changed.</returns>
    public static bool Release() => Applied.Value;

    private static bool Apply()
    {
        try
        {
            // Asking for the version has the runtime load the library it uses.
            return OperatingSystem.IsLinux()
                && SafeEvpPKeyHandle.OpenSslVersion >= Version3
                && CRYPTO_get_ex_new_index(SslCtxClass, new CLong(0), 0, Callback, 0, 0) >= 0;
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException or PlatformNotSupportedException)
        {
            return false;
        }
    }

    [DllImport(Crypto)]
    private static extern int CRYPTO_get_ex_new_index(int kind, CLong number, nint pointer, NewObject created, nint copied, nint freed);

    [DllImport(Ssl)]
    private static extern CLong SSL_CTX_ctrl(nint context, int command, CLong number, nint pointer);
}
