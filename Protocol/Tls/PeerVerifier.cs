using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Names;

namespace Whip.Protocol.Tls;

/// <summary>The only place where a peer's certificate is judged. Identity comes from the leaf alone.</summary>
internal sealed class PeerVerifier(X509Certificate2Collection roots, DenyFile? denied = null)
{
    // Of a certificate that is refused, so that its reason is not cut off.
    private const int MaxNames = 96;

    private volatile bool _sawIntermediate;

    /// <summary>
    /// A session that is resumed brings the leaf back, but not the intermediates that came with it, and no verdict may depend on what was sent
    /// before. So once a peer has sent one, sessions are not resumed.
    /// </summary>
    public bool CanResume => !_sawIntermediate;

    /// <summary>Our roots only, nothing fetched; created for each connection.</summary>
    public X509ChainPolicy ChainPolicy() => ChainPolicy(roots, []);

    public static X509ChainPolicy ChainPolicy(X509Certificate2Collection roots, OidCollection purposes)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(roots);

        // An intermediate of the CA file is found there only.
        policy.ExtraStore.AddRange(roots);
        foreach (var purpose in purposes)
        {
            policy.ApplicationPolicy.Add(purpose);
        }

        return policy;
    }

    /// <summary>Judges what a handshake found. The chain was built by <see cref="ChainPolicy()"/>; its verdict on the name is ignored.</summary>
    /// <param name="leaf">The peer's certificate, null when it showed none.</param>
    /// <param name="chain">The chain SslStream built from it.</param>
    /// <param name="errors">SslStream's own verdict.</param>
    /// <param name="role">What the leaf must be good for.</param>
    /// <param name="expectedHost">The host the leaf must name; null when the peer was not reached by a name.</param>
    public PeerVerdict Verify(X509Certificate? leaf, X509Chain? chain, SslPolicyErrors errors, PeerRole role, string? expectedHost)
    {
        if (leaf is not X509Certificate2 certificate || chain is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            return Refuse("the peer showed no certificate");
        }

        var identity = PeerIdentity.FromLeaf(certificate);
        var named = $"the certificate ({Printable.Clean(identity.Names.Count == 0 ? "no names" : string.Join(", ", identity.Names), MaxNames)})";
        var faults = Faults(certificate, chain, errors);
        if (TrustProblem(certificate, named, chain, faults) is { } problem)
        {
            return Refuse(problem);
        }

        var (purpose, name) = role == PeerRole.Broker ? (KeyPurpose.ServerAuth, "serverAuth") : (KeyPurpose.ClientAuth, "clientAuth");
        if (!KeyPurpose.Has(certificate, purpose))
        {
            return Refuse($"{named} lacks the extended key usage {name}");
        }

        if (faults != X509ChainStatusFlags.NoError)
        {
            return Refuse($"the chain of {named} is refused: {faults}");
        }

        if (expectedHost is not null && !identity.Covers(expectedHost))
        {
            return Refuse($"the certificate does not cover {expectedHost}, only {identity}");
        }

        if (denied?.Matches(identity) == true)
        {
            return Refuse($"{named} is on the deny list");
        }

        _sawIntermediate |= chain.ChainElements.Count > 2;
        return new PeerVerdict(identity, "");
    }

    private static PeerVerdict Refuse(string problem) => new(null, Printable.Clean(problem));

    /// <summary>
    /// The place in the chain of an intermediate that the CA file names; 0 if there is none. Whatever stands above it does not matter, as for curl
    /// and Go. OpenSSL has verified the signatures below it.
    /// </summary>
    private int Anchor(X509Chain chain)
    {
        for (var i = 1; i < chain.ChainElements.Count; i++)
        {
            var raw = chain.ChainElements[i].Certificate.RawDataMemory;
            if (roots.Any(root => root.RawDataMemory.Span.SequenceEqual(raw.Span)))
            {
                return i;
            }
        }

        return 0;
    }

    private X509ChainStatusFlags Faults(X509Certificate2 leaf, X509Chain chain, SslPolicyErrors errors)
    {
        if (!errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            return X509ChainStatusFlags.NoError;
        }

        var faults = X509ChainStatusFlags.NoError;
        foreach (var status in chain.ChainStatus)
        {
            faults |= status.Status;
        }

        if (Anchor(chain) is > 0 and var anchor)
        {
            faults = X509ChainStatusFlags.NoError;
            foreach (var status in chain.ChainElements.Take(anchor + 1).SelectMany(element => element.ChainElementStatus))
            {
                faults |= status.Status;
            }

            // OpenSSL does not look at the dates of a last certificate that is no root.
            faults |= IsValidNow(chain.ChainElements[anchor].Certificate) ? X509ChainStatusFlags.NoError : X509ChainStatusFlags.NotTimeValid;
            return faults & ~(X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot);
        }

        // A chain that is refused without a reason is refused all the same.
        faults = faults == X509ChainStatusFlags.NoError ? X509ChainStatusFlags.PartialChain : faults;
        return SelfIssuedLeaf.IsIssuedByRoot(leaf, chain) ? faults & ~SelfIssuedLeaf.MistakenForRoot : faults;
    }

    private static bool IsValidNow(X509Certificate2 certificate) => certificate.NotBefore <= DateTime.Now && certificate.NotAfter >= DateTime.Now;

    private static string? TrustProblem(X509Certificate2 leaf, string named, X509Chain chain, X509ChainStatusFlags faults)
    {
        if ((faults & SelfIssuedLeaf.MistakenForRoot) != 0)
        {
            return $"{named} of the issuer {Printable.Clean(leaf.Issuer, MaxNames)} was not issued by our CA";
        }

        foreach (var element in chain.ChainElements.Where(_ => faults.HasFlag(X509ChainStatusFlags.NotTimeValid)))
        {
            if (!IsValidNow(element.Certificate))
            {
                var what = element.Certificate.Equals(leaf) ? named : $"the issuer ({Printable.Clean(element.Certificate.Subject, MaxNames)}) of {named}";
                var (from, to) = (element.Certificate.NotBefore.ToUniversalTime(), element.Certificate.NotAfter.ToUniversalTime());
                return $"{what} is valid from {from:u} to {to:u} only";
            }
        }

        return null;
    }
}

/// <summary>What the verifier says of a peer: its identity, or one printable line that says why it is refused.</summary>
internal readonly record struct PeerVerdict(PeerIdentity? Identity, string Problem)
{
    [MemberNotNullWhen(true, nameof(Identity))]
    public bool IsTrusted => Identity is not null;
}

/// <summary>Carries the verdict out of one handshake, whose exception only says that the certificate was refused.</summary>
internal sealed class PeerVerdictHolder
{
    /// <summary>Null until the peer's certificate was judged.</summary>
    public PeerVerdict? Verdict { get; set; }
}

/// <summary>What a peer's leaf must be good for.</summary>
internal enum PeerRole
{
    /// <summary>A broker: serverAuth, and a SAN that covers the host it was reached at.</summary>
    Broker,

    /// <summary>An agent or a dialer: clientAuth.</summary>
    Client,
}
