using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Whip.AspNetCore.Authentication;

/// <summary>Makes a principal of the dialer's names.</summary>
internal sealed class WhipAuthenticationHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    private const string Issuer = WhipAuthenticationDefaults.AuthenticationScheme;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Context.Features.Get<IWhipDialFeature>() is not { DialerNames.Count: > 0 } dial)
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        var claims = dial.DialerNames.Select(name => (ClaimTypes.Name, name)).Append((WhipAuthenticationDefaults.DialerIdClaim, dial.DialerId))
            .Where(claim => claim.Item2.Length > 0)
            .Select(claim => new Claim(claim.Item1, claim.Item2, ClaimValueTypes.String, Issuer));
        var principal = new ClaimsPrincipal(new ClaimsIdentity(claims, Scheme.Name));
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(principal, Scheme.Name)));
    }
}
