namespace Whip.AspNetCore.Authentication;

/// <summary>What <see cref="WhipAuthenticationExtensions.AddWhip"/> calls things.</summary>
public static class WhipAuthenticationDefaults
{
    /// <summary>The scheme, <c>Whip</c>, and the issuer of every claim of it.</summary>
    public const string AuthenticationScheme = "Whip";

    /// <summary>The type of the claim that has <see cref="IWhipDialFeature.DialerId"/>; the names are claims of the type <c>ClaimTypes.Name</c>.</summary>
    public const string DialerIdClaim = "whip:dialer-id";
}
