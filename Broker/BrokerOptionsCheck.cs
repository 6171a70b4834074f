using Whip.Broker.Admin;
using Whip.Broker.Cluster;
using Whip.Hosting.Flags;

namespace Whip.Broker;

/// <summary>Validates the options of a broker as a whole before anything is bound. The certificate and the network are checked when it starts.</summary>
internal static class BrokerOptionsCheck
{
    /// <exception cref="WhipOptionException">The first option that cannot work.</exception>
    public static void Check(WhipBrokerOptions options)
    {
        OptionText.Require(
            Enum.IsDefined(options.Cluster), nameof(options.Cluster), $"{options.Cluster}", "not a kind of cluster", "Embedded or Orleans");
        ClusterOptions.Check(options);
        CheckListener(nameof(options.GrpcListen), options.GrpcListen, options);
        CheckListener(nameof(options.TcpListen), options.TcpListen, options, nameof(options.ExternalTcp), options.ExternalTcp);
        ListenAddress.ParseOrOff(nameof(options.DialListen), options.DialListen);
        var (clusterId, id) = (options.ClusterId, options.BrokerId);
        OptionText.Require(BrokerUri.IsClusterId(clusterId), nameof(options.ClusterId), clusterId, "not a cluster's id", BrokerUri.ClusterIdHint);
        OptionText.Require(id is null || BrokerUri.IsBrokerId(id), nameof(options.BrokerId), id, "not a broker's id", BrokerUri.BrokerIdHint);
        if (options.DialPolicyPath is not null)
        {
            OptionText.File(nameof(options.DialPolicyPath), options.DialPolicyPath);
        }

        CheckAdmin(options);
        if (options.Cluster == ClusterEngine.Orleans)
        {
            CheckListener(nameof(options.GrpcListen), options.GrpcListen, options, nameof(options.ExternalGrpc), options.ExternalGrpc);
            CheckListener(nameof(options.DialListen), options.DialListen, options, nameof(options.ExternalDial), options.ExternalDial);
            CheckListener(nameof(options.SiloListen), options.SiloListen, options, nameof(options.ExternalSilo), options.ExternalSilo);
            ListenAddress.ParseOrOff(nameof(options.GatewayListen), options.GatewayListen);
        }

        OptionText.Require(Enum.IsDefined(options.Balance), nameof(options.Balance), $"{options.Balance}", "not a policy", "Random or LeastConnections");
        OptionText.Duration(nameof(options.DrainTimeout), options.DrainTimeout);
        OptionText.Duration(nameof(options.DrainDelay), options.DrainDelay);
        options.Limits.Check();
    }

    /// <summary>A listener on every interface needs its external address, if it has an option for one.</summary>
    private static void CheckListener(string option, string address, WhipBrokerOptions options, string? externalOption = null, string? external = null)
    {
        var listen = ListenAddress.Parse(option, address);
        if (!string.IsNullOrEmpty(external))
        {
            ExternalAddress.Check(externalOption!, external);
        }
        else if (externalOption is not null && (listen.IsWildcard || (listen.Host.Length == 0 && options.Tls.Enabled)))
        {
            throw new WhipOptionException(
                externalOption, null,
                $"is needed, for {{{option}}} {address} is every interface", $"HOST:PORT, where others reach this broker's {{{option}}}");
        }
    }

    private static void CheckAdmin(WhipBrokerOptions options)
    {
        _ = new AdminAccess(AdminToken.Load(options.AdminTokenPath), options.AdminHosts);
        OptionText.Require(
            ListenAddress.IsLoopbackOrOff(nameof(options.AdminListen), options.AdminListen, !options.Tls.Enabled) || options.AdminTokenPath is not null,
            nameof(options.AdminListen), options.AdminListen,
            "beyond the loopback interface it needs {AdminTokenPath}", "{AdminTokenPath} FILE, or 127.0.0.1:8081");
    }
}
