namespace Whip.Proxy.Http;

/// <summary>What came is not HTTP/1.1, or not the only way to read it; the message is one line that may quote the peer.</summary>
internal sealed class HttpFormatException(string problem, int status = 400) : IOException(problem)
{
    /// <summary>The answer to a client; an upstream's fault is a 502.</summary>
    public int Status => status;
}
