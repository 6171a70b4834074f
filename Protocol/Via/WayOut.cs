using Whip.Protocol.Names;
using Whip.Protocol.Options;

namespace Whip.Protocol.Via;

/// <summary>Which proxy leads to a broker, if one does: what the options say, or else the environment.</summary>
internal sealed class WayOut
{
    private const string ProxyOption = $"{nameof(ICheckedOptions.Via)}.{nameof(WhipViaOptions.Proxy)}";
    private const string PasswordOption = $"{nameof(ICheckedOptions.Via)}.{nameof(WhipViaOptions.PasswordPath)}";
    private const string Example = "http://user:password@proxy.example.com:3128";

    private static readonly string[] ProxyVariables = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    private static readonly string[] ExceptionVariables = ["no_proxy", "NO_PROXY"];

    private readonly NoProxyList _except;

    private WayOut(HttpProxy? proxy, string source, NoProxyList? except = null) => (Proxy, Source, _except) = (proxy, source, except ?? new NoProxyList(""));

    /// <summary>Every variable that is read.</summary>
    public static IEnumerable<string> Variables => [.. ProxyVariables, .. ExceptionVariables];

    /// <summary>Null: there is none.</summary>
    public HttpProxy? Proxy { get; }

    /// <summary>The option or the variable that names it.</summary>
    public string Source { get; }

    /// <exception cref="WhipOptionException">The option, the variable or the file cannot be used. No message has the password.</exception>
    /// <param name="options">What the user says.</param>
    /// <param name="variable">The environment; null: that of the process.</param>
    public static WayOut Of(WhipViaOptions options, Func<string, string?>? variable = null)
    {
        var isOff = options.Proxy == WhipViaOptions.Off;
        if (isOff || string.IsNullOrEmpty(options.Proxy))
        {
            OptionText.Require(
                options.PasswordPath is null, PasswordOption, options.PasswordPath, "has a meaning with a user in {Via.Proxy} only", "{Via.Proxy} URL");
            return isOff ? new WayOut(null, ProxyOption) : OfEnvironment(variable ?? Environment.GetEnvironmentVariable);
        }

        var proxy = Parse(ProxyOption, options.Proxy);
        if (options.PasswordPath is not { } path)
        {
            return new WayOut(proxy, ProxyOption);
        }

        OptionText.Require(
            proxy is { HasUser: true, HasPassword: false }, PasswordOption, path, "needs a user without a password in {Via.Proxy}",
            "http://user@proxy.example.com:3128");
        return new WayOut(proxy.WithPassword(SecretFile.ReadPassword(PasswordOption, path, "a file that this user may read")), ProxyOption);
    }

    /// <summary>Null: none leads to this broker.</summary>
    public HttpProxy? To(HostPort broker) => Proxy is null || _except.Matches(broker.Host) ? null : Proxy;

    private static WayOut OfEnvironment(Func<string, string?> variable)
    {
        var (exceptions, except) = FirstOf(ExceptionVariables);
        var list = new NoProxyList(except);
        var (source, url) = FirstOf(ProxyVariables);
        return url.Length == 0 || list.MatchesAll
            ? new WayOut(null, url.Length == 0 ? source : exceptions)
            : new WayOut(Parse(source, url), source, list);

        // An empty one is as one that is not set.
        (string Name, string Text) FirstOf(string[] names) =>
            names.Select(name => (name, variable(name) ?? "")).FirstOrDefault(set => set.Item2.Length > 0, (names[0], ""));
    }

    private static HttpProxy Parse(string source, string url) =>
        HttpProxy.TryParse(url, out var proxy, out var problem)
            ? proxy
            : throw new WhipOptionException(source, null, problem, $"{Example}, or {WhipViaOptions.Off} in {{{ProxyOption}}} for none");
}
