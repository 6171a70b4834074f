using System.CommandLine;
using System.Globalization;

namespace Whip.Bench;

/// <summary>Numbers with commas between; two of them, the greater one last, if they are the ends of a slope.</summary>
internal sealed class SizesOption : Option<int[]>
{
    private const int Max = 10_000;

    private readonly int[] _defaults;

    public SizesOption(string name, string description, int[] defaults, bool isSlope = false)
        : base(name)
    {
        _defaults = defaults;
        Description = $"{description} [default: {string.Join(',', defaults)}]";
        HelpName = "N,N";
        CustomParser = result =>
        {
            var sizes = Array.ConvertAll(
                result.Tokens[0].Value.Split(','),
                text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size <= Max ? size : 0);
            return sizes.Contains(0) ? BenchOptions.Refuse<int[]>(result, $"numbers from 1 to {Max}, with commas between")
                : isSlope && (sizes.Length != 2 || sizes[0] >= sizes[1]) ? BenchOptions.Refuse<int[]>(result, "two numbers, the greater one last")
                : sizes;
        };
    }

    public int[] Of(ParseResult parsed) => parsed.GetValue(this) is { Length: > 0 } sizes ? sizes : _defaults;
}
