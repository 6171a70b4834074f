using System.Text;

namespace Whip.Proxy.Http;

/// <summary>Writes a head in Latin-1, which gives the fields the bytes they were read in.</summary>
internal sealed class HeadBuilder
{
    public const string Via = "1.1 whip-proxy";

    private readonly StringBuilder _text = new();

    public HeadBuilder Line(string line)
    {
        _text.Append(line).Append("\r\n");
        return this;
    }

    public HeadBuilder Field(string name, string value) => Line($"{name}: {value}");

    /// <summary>The whole head, with its empty line.</summary>
    public byte[] ToBytes() => Encoding.Latin1.GetBytes(_text.Append("\r\n").ToString());
}
