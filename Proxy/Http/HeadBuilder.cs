using System.Text;

namespace Whip.Proxy.Http;

/// <summary>Puts a head together, in the bytes the fields were read in.</summary>
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

    /// <summary>The end of the head.</summary>
    public byte[] ToBytes() => Encoding.Latin1.GetBytes(_text.Append("\r\n").ToString());
}
