using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Whip.Protocol.Names;

namespace Whip.AspNetCore.Authentication;

/// <summary>Lets <c>[Authorize]</c> and policies decide by the dialer's certificate.</summary>
public static class WhipAuthenticationExtensions
{
    /// <summary>
    /// Authenticates a request that came by a dial as the dialer's certificate: a claim <c>ClaimTypes.Name</c> for each of its names, in its order, and one
    /// for its id. Requests by other ways, and by dialers without a certificate, are anonymous. The names are those that the broker has verified.
    /// </summary>
    /// <param name="builder">Of <c>AddAuthentication</c>.</param>
    /// <param name="scheme">Default <c>Whip</c>.</param>
    public static AuthenticationBuilder AddWhip(this AuthenticationBuilder builder, string scheme = WhipAuthenticationDefaults.AuthenticationScheme)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddScheme<AuthenticationSchemeOptions, WhipAuthenticationHandler>(scheme, configureOptions: null);
    }

    /// <summary>
    /// Requires a dialer one of whose names matches one of the patterns, as <c>--allow-dialer</c> of whip-agent has them: <c>*</c> is any text, dots
    /// included, and <c>?</c> one character.
    /// </summary>
    /// <param name="builder">Of the policy.</param>
    /// <param name="patterns">Such as <c>*.dialers</c>; at least one.</param>
    /// <exception cref="ArgumentException">There is no pattern, or one that no certificate can match.</exception>
    public static AuthorizationPolicyBuilder RequireDialer(this AuthorizationPolicyBuilder builder, params string[] patterns)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(patterns);
        if (patterns.Length == 0)
        {
            throw new ArgumentException("no pattern; try *.dialers", nameof(patterns));
        }

        var globs = Array.ConvertAll(patterns, Parse);
        return builder.RequireAssertion(context => context.User.Claims.Any(claim => IsName(claim) && Array.Exists(globs, glob => glob.Matches(claim.Value))));
    }

    private static NameGlob Parse(string pattern) =>
        NameGlob.TryOfCertificate(pattern, out var glob, out var problem) ? glob : throw new ArgumentException($"{pattern}: {problem}", nameof(pattern));

    /// <summary>Another scheme may have claims of that type too.</summary>
    private static bool IsName(Claim claim) => claim is { Type: ClaimTypes.Name, Issuer: WhipAuthenticationDefaults.AuthenticationScheme };
}
