using Microsoft.Extensions.Options;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;

namespace Whip.Protocol.Options;

/// <summary>The options of one part, or of one command.</summary>
internal interface ICheckedOptions
{
    /// <summary>Null: it makes no connections with TLS.</summary>
    WhipTlsOptions? Tls => null;

    /// <summary>Null: it reaches no brokers.</summary>
    WhipViaOptions? Via => null;

    /// <summary>Looks at every option, before anything is bound or connected.</summary>
    /// <exception cref="WhipOptionException">The first that cannot work.</exception>
    void Check();
}

/// <summary>Has a host check the options of the parts it embeds when it starts.</summary>
internal sealed class OptionsValidator<TOptions> : IValidateOptions<TOptions>
    where TOptions : class, ICheckedOptions
{
    public ValidateOptionsResult Validate(string? name, TOptions options)
    {
        try
        {
            options.Check();
            return ValidateOptionsResult.Success;
        }
        catch (WhipOptionException error)
        {
            return ValidateOptionsResult.Fail($"{typeof(TOptions).Name}.{error.Message}");
        }
    }
}
