using Whip.Protocol.Messages;
using Whip.Protocol.Options;

namespace Whip.Agent.Checks;

/// <summary>One entry of <see cref="WhipAgentOptions.Checks"/>.</summary>
/// <param name="Port">The published port.</param>
/// <param name="Path">What is asked for by HTTP; null: a TCP connection is enough.</param>
internal sealed record PortCheck(int Port, string? Path)
{
    private const string Tcp = "tcp";
    private const string Http = "http:";
    private const string Examples = "80=tcp or 80=http:/healthz";

    public CheckKind Kind => Path is null ? CheckKind.Tcp : CheckKind.Http;

    /// <exception cref="WhipOptionException">It is neither <c>PORT=tcp</c> nor <c>PORT=http:PATH</c>.</exception>
    public static PortCheck Parse(string option, string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var hasPort = PublishedPort.TryReadPort(text.AsSpan(0, Math.Max(0, equals)), out var port);
        OptionText.Require(hasPort, option, text, "does not begin with a port from 1 to 65535 and a =", Examples);
        var kind = text[(equals + 1)..];
        return kind == Tcp ? new PortCheck(port, null)
            : kind.StartsWith(Http, StringComparison.Ordinal) && IsPath(kind[Http.Length..]) ? new PortCheck(port, kind[Http.Length..])
            : throw new WhipOptionException(option, text, "what follows the = is neither tcp nor http: and a path", Examples);
    }

    public override string ToString() => Path is null ? Tcp : $"{Http}{Path}";

    private static bool IsPath(string text) => text.StartsWith('/') && text.All(c => c is > ' ' and < (char)127 and not '#');
}
