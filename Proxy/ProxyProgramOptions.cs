using Whip.Protocol.Options;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;

namespace Whip.Proxy;

/// <summary>The options of <c>whip-proxy</c>: the proxy's, where its password is, and those of the broker that it may contain.</summary>
internal sealed class ProxyProgramOptions : ICheckedOptions
{
    public WhipProxyOptions Proxy { get; } = new();

    public WhipTlsOptions Tls => Proxy.Tls;

    public WhipViaOptions? Via => Proxy.Brokers.Count > 0 ? Proxy.Via : null;

    public bool ProxyTls { get; set; }

    public string ProxyAuthPasswordEnv { get; set; } = "WHIP_PROXY_PASSWORD";

    public string? ProxyAuthPasswordPath { get; set; }

    /// <summary>Where agents reach the broker of this process; empty: the brokers are elsewhere.</summary>
    public string WhipExternalTcpAddress { get; set; } = "";

    public int WhipExternalTcpPort { get; set; }

    public int WhipTcpListenPort { get; set; } = 8000;

    public int WhipGrpcListenPort { get; set; } = 8001;

    public void Check()
    {
        var named = Proxy.Brokers.Count > 0;
        OptionText.Require(
            named != WhipExternalTcpAddress.Length > 0, nameof(Proxy.Brokers), null,
            named ? "does not go with {WhipExternalTcpAddress}: the broker is either elsewhere or here" : "is needed, to know where to dial",
            named ? "one of the two" : "{Brokers} HOST:8010, or {WhipExternalTcpAddress} HOST to be the broker in this process");

        CheckServerFile(nameof(Proxy.ServerKeyPath), Proxy.ServerKeyPath);
        CheckServerFile(nameof(Proxy.ServerCertPath), Proxy.ServerCertPath);
        if (ProxyAuthPasswordPath is { } path)
        {
            OptionText.File(nameof(ProxyAuthPasswordPath), path);
        }

        Proxy.Check();
    }

    /// <exception cref="WhipOptionException">The variable or the file holds no password.</exception>
    public void ReadPassword(Func<string, string?> variable)
    {
        const string Hint = "a variable that holds the password, or a file that this user may read";
        Proxy.Password = variable(ProxyAuthPasswordEnv) is { Length: > 0 } text
            ? SecretFile.Password(text, nameof(ProxyAuthPasswordEnv), ProxyAuthPasswordEnv, Hint)
            : ProxyAuthPasswordPath is { } path ? SecretFile.ReadPassword(nameof(ProxyAuthPasswordPath), path, Hint)
            : null;
    }

    private void CheckServerFile(string option, string? path)
    {
        OptionText.Require(path is not null || !ProxyTls, option, null, "is needed with {ProxyTls}", $"{{{option}}} FILE");
        OptionText.Require(path is null || ProxyTls, option, path, "has a meaning with --proxy-tls only", "--proxy-tls");
    }
}
