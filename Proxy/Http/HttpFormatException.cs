namespace Whip.Proxy.Http;

/// <summary>The bytes are not HTTP/1.1, can be read in more than one way, or do not come in time. The message is one line that quotes nothing.</summary>
internal sealed class HttpFormatException(string problem, int status = 400) : IOException(problem)
{
    /// <summary>The answer to a client at fault; of an upstream at fault only 504 counts, else the answer is 502.</summary>
    public int Status => status;
}
