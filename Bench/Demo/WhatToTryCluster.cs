using Whip.Harness;
using Whip.Harness.Cluster;
using Whip.Harness.Programs;

namespace Whip.Bench.Demo;

/// <summary>Commands for another terminal that show a cluster, each complete in itself, to be typed in this order.</summary>
internal static class WhatToTryCluster
{
    public static string Text(LocalCluster cluster, WhipProcess proxy, IReadOnlyList<string> names, int port, string programFolder)
    {
        var (first, second, third) = (cluster.Brokers[0], cluster.Brokers[1], cluster.Brokers[2]);
        var proxyUrl = $"http://{proxy.Addresses["proxy"]}";
        var dashboard = $"\n# the silos and their grains, for a browser: http://{first.Admin}/dashboard/\n";
        return $"""

            Everything runs. Try in another terminal:

            # every instance at every broker, wherever it is registered: a CONNECT at the dial front, with the dialer's certificate
            curl {Curl(first)} http://{names[0]}:{port}/
            curl {Curl(second)} http://{names[0]}:{port}/
            curl {Curl(third)} http://{names[3]}:{port}/

            # the same through the HTTP proxy, which knows all brokers, and any instance of a domain
            curl -x {proxyUrl} http://{names[1]}:{port}/
            curl -x {proxyUrl} http://{Domain(names[2])}:{port}/

            # a broker hangs, and is back; nobody notices
            kill -STOP {second.Program.Id}
            curl -x {proxyUrl} http://{names[0]}:{port}/
            curl {Curl(third)} http://{names[1]}:{port}/
            kill -CONT {second.Program.Id}

            # a broker dies
            kill -9 {third.Program.Id}
            curl -x {proxyUrl} http://{names[0]}:{port}/
            curl {Curl(second)} http://{names[3]}:{port}/

            # a dial joined to standard input and output, with a second broker to go to
            printf 'GET / HTTP/1.0\r\n\r\n' | {WhatToTry.Whip(programFolder)} connect {names[0]}:{port} --broker {third.Dial} --broker {first.Dial} {string.Join(' ', Certificates.Flags(cluster.Dialer))}

            # what the brokers see of each other and of a name
            {WhatToTry.Whip(programFolder)} status --admin {first.Admin},{second.Admin}
            {WhatToTry.Whip(programFolder)} explain {names[0]}:{port} --admin {first.Admin}

            # what a broker counted
            curl http://{first.Metrics}/metrics
            {dashboard}

            Ctrl-C ends everything and removes the database and the certificates.
            """;

        string Curl(LocalBroker broker) => string.Join(' ', DemoDials.CurlFlags(broker.Dial, cluster.Dialer));
    }

    private static string Domain(string name) => name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..];
}
