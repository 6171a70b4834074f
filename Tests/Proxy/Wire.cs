using System.Text;

namespace Whip.Tests.Proxy;

/// <summary>HTTP/1.1 by hand.</summary>
internal static class Wire
{
    public static Task SendAsync(this Stream stream, string text) => stream.WriteAsync(Encoding.Latin1.GetBytes(text)).AsTask().WaitAsync(Patience.Long);

    public static async Task<string> AskAsync(this Stream stream, string request)
    {
        await stream.SendAsync(request);
        return await ReadAnswerAsync(stream);
    }

    /// <summary>A head with its empty line, not a byte further; empty when the stream ended.</summary>
    public static async Task<string> ReadHeadAsync(Stream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one.AsMemory()).AsTask().WaitAsync(Patience.Long) == 0)
            {
                return "";
            }

            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    public static async Task<string> ReadAsync(Stream stream, int count) => Encoding.Latin1.GetString(await stream.ReadExactlyAsync(count));

    /// <summary>A head and the body its Content-Length announces.</summary>
    public static async Task<string> ReadAnswerAsync(Stream stream)
    {
        var head = await ReadHeadAsync(stream);
        var length = head.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))?[15..] ?? "0";
        return head + await ReadAsync(stream, int.Parse(length));
    }

    /// <summary>Everything to the end, a reset being an end too.</summary>
    public static async Task<string> ReadToEndAsync(Stream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (await stream.ReadAsync(buffer.AsMemory()).AsTask().WaitAsync(Patience.Long) is > 0 and var read)
            {
                text.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (IOException)
        {
        }

        return text.ToString();
    }
}
