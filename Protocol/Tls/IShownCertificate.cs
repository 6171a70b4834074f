using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Options;

namespace Whip.Protocol.Tls;

/// <summary>A certificate that a program shows, read again when its files change.</summary>
internal interface IShownCertificate
{
    /// <summary>The file it is in, for messages.</summary>
    string FilePath { get; }

    X509Certificate2 Certificate { get; }

    /// <summary>The names of the same.</summary>
    PeerIdentity Names { get; }

    /// <summary>Why the files as they are now are not in force; null if they are.</summary>
    string? Problem { get; }

    /// <summary>Reads the files if they have changed; see <see cref="LiveFile{T}.Look"/>.</summary>
    FileChange Look(bool atOnce = false);
}
