using System.Globalization;
using System.Text;
using Xunit.Abstractions;

namespace Whip.Tests.Protocol;

/// <summary>Random inputs put together from fragments, the same in every run unless WHIP_FUZZ_SEED says otherwise.</summary>
internal sealed class Fuzz : Random
{
    public const int Inputs = 100_000;

    private readonly string[] _fragments;

    private Fuzz(int seed, string[] fragments)
        : base(seed) => _fragments = fragments;

    public static Fuzz Start(ITestOutputHelper output, string[] fragments)
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("WHIP_FUZZ_SEED") ?? "20261123", CultureInfo.InvariantCulture);
        output.WriteLine($"WHIP_FUZZ_SEED={seed}");
        return new Fuzz(seed, fragments);
    }

    /// <summary>Once in <paramref name="of"/> it begins with <paramref name="start"/>, so that more than the first rule is tried.</summary>
    public byte[] Next(string start, int of)
    {
        var text = new StringBuilder(Next(of) == 0 ? start : "");
        for (var parts = Next(12); parts > 0; parts--)
        {
            text.Append(Next(8) == 0 ? ((char)Next(256)).ToString() : _fragments[Next(_fragments.Length)]);
        }

        return Encoding.Latin1.GetBytes(text.ToString());
    }
}
