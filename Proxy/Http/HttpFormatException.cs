namespace Whip.Proxy.Http;

/// <summary>The bytes are not HTTP/1.1, or can be read in more than one way. The message is one line that quotes nothing.</summary>
internal sealed class HttpFormatException(string problem, int status = 400) : IOException(problem)
{
    /// <summary>The answer to a client at fault; if the upstream is, the answer is 502.</summary>
    public int Status => status;
}
