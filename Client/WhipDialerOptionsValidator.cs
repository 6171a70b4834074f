using Microsoft.Extensions.Options;

namespace Whip.Client;

internal sealed class WhipDialerOptionsValidator : IValidateOptions<WhipDialerOptions>
{
    public ValidateOptionsResult Validate(string? name, WhipDialerOptions options) =>
        options.FindProblem() is { } problem ? ValidateOptionsResult.Fail($"{nameof(WhipDialerOptions)}: {problem}") : ValidateOptionsResult.Success;
}
