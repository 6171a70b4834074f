using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Proxy;

/// <summary>What <c>whip-proxy</c> is told: of the proxy, where its password is, and of the broker that it may be as well.</summary>
internal sealed class ProxyProgramOptions : ICheckedOptions
{
    public WhipProxyOptions Proxy { get; } = new();

    public WhipTlsOptions Tls => Proxy.Tls;

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
        if (named == WhipExternalTcpAddress.Length > 0)
        {
            throw new WhipOptionException(
                nameof(Proxy.Brokers),
                null,
                named ? "does not go with {WhipExternalTcpAddress}: the broker is either elsewhere or here" : "is needed, to know where to dial",
                named ? "one of the two" : "{Brokers} HOST:8010, or {WhipExternalTcpAddress} HOST to be the broker in this process");
        }

        CheckServerFile(nameof(Proxy.ServerKeyPath), Proxy.ServerKeyPath);
        CheckServerFile(nameof(Proxy.ServerCertPath), Proxy.ServerCertPath);
        if (ProxyAuthPasswordPath is { } path)
        {
            OptionText.File(nameof(ProxyAuthPasswordPath), path);
        }

        Proxy.Check();
    }

    /// <exception cref="WhipOptionException">The password file is no use.</exception>
    public void ReadPassword(Func<string, string?> variable)
    {
        const string Hint = "a file with the password that this user may read";
        Proxy.Password = variable(ProxyAuthPasswordEnv) is { Length: > 0 } password ? password
            : ProxyAuthPasswordPath is { } path ? SecretFile.ReadPassword(nameof(ProxyAuthPasswordPath), path, Hint)
            : null;
    }

    private void CheckServerFile(string option, string? path)
    {
        if (ProxyTls != path is not null)
        {
            throw path is null
                ? new WhipOptionException(option, null, "is needed with {ProxyTls}", $"{{{option}}} FILE")
                : new WhipOptionException(option, path, "is of no use without --proxy-tls", "--proxy-tls");
        }
    }
}
