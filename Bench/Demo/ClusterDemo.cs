namespace Whip.Bench.Demo;

/// <summary><c>whip-bench up-cluster</c>: a cluster of three brokers on this machine, for the user to try and disturb.</summary>
internal sealed class ClusterDemo(string programFolder, TextWriter output)
{
    private static readonly string[] Names = ["instance1.testdom", "instance2.testdom", "instance1.otherdom", "instance2.otherdom"];

    // The agents' default.
    private const int Homes = 2;

    private static readonly TimeSpan HomesTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HomesInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Starts everything, prints what to try, and stays until cancelled or until every broker has ended.</summary>
    public async Task UpAsync(CancellationToken cancellationToken)
    {
        var setup = new ClusterSetup(programFolder, Tls: true) { BrokerFlags = ["--drain-timeout", "5s"] };
        await using var cluster = await LocalCluster.StartAsync(setup, cancellationToken);
        await using var parts = new DemoParts(cluster.Programs, cluster.CertificateFiles, programFolder, Names, output);
        await parts.ReportAsync("PostgreSQL", $"127.0.0.1:{cluster.Postgres.Port}, with a database of its own");
        foreach (var broker in cluster.Brokers)
        {
            await parts.ReportAsync(broker.Program);
        }

        await parts.StartAgentsAsync([.. cluster.Brokers.Select(b => b.Grpc)], cancellationToken);
        var proxy = await parts.StartProxyAsync(cluster.Brokers.Select(b => b.Dial), cancellationToken);
        await AwaitAllAsync(cluster, parts.Port, cancellationToken);
        await output.WriteLineAsync(WhatToTry(cluster, parts, proxy));
        await WatchAsync(cluster, parts, cancellationToken);
    }

    /// <summary>Waits until what is printed to try works at once: every agent is dialable at every broker, and still is when a broker dies.</summary>
    private static async Task AwaitAllAsync(LocalCluster cluster, int port, CancellationToken cancellationToken)
    {
        foreach (var (name, broker) in Names.SelectMany(name => cluster.Brokers.Select(broker => (name, broker))))
        {
            (await cluster.DialAsync(broker, name, port, cancellationToken)).Abort();
        }

        if (!await Polling.UntilAsync(HaveHomesAsync, HomesTimeout, HomesInterval, cancellationToken))
        {
            throw new PartFailedException("agents", $"not every agent has {Homes} homes within {HomesTimeout.TotalSeconds} s", []);
        }

        async Task<bool> HaveHomesAsync()
        {
            var statuses = await Task.WhenAll(cluster.Brokers.Select(broker => broker.ReadStatusAsync(cancellationToken)));
            return statuses.Sum(status => status.Streams) >= Names.Length * Homes;
        }
    }

    /// <summary>Reports the brokers that end: the user may kill one, and the others go on.</summary>
    private async Task WatchAsync(LocalCluster cluster, DemoParts parts, CancellationToken cancellationToken)
    {
        await Task.WhenAll(cluster.Brokers.Select(ReportEndAsync)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await output.WriteLineAsync("stopping");

        async Task ReportEndAsync(LocalBroker broker)
        {
            var exitCode = await broker.Program.Ended.WaitAsync(cancellationToken);
            await parts.ReportAsync(broker.Id, $"ended with exit code {exitCode}");
        }
    }

    /// <summary>Commands for another terminal, each complete in itself, to be typed in this order.</summary>
    private static string WhatToTry(LocalCluster cluster, DemoParts parts, WhipProcess proxy)
    {
        var (first, second, third) = (cluster.Brokers[0], cluster.Brokers[1], cluster.Brokers[2]);
        var proxyUrl = $"http://{proxy.Addresses["proxy"]}";
        var (names, port) = (Names, parts.Port);
        var dialer = $"--broker {third.Dial} --broker {first.Dial} {string.Join(' ', Certificates.Flags(parts.Dialer))}";
        return $"""

            Everything runs. Try in another terminal:

            # every instance at every broker, wherever it is registered: a CONNECT at the dial front, with the dialer's certificate
            curl {Curl(first)} http://{names[0]}:{port}/
            curl {Curl(second)} http://{names[0]}:{port}/
            curl {Curl(third)} http://{names[3]}:{port}/

            # the same through the HTTP proxy, which knows all brokers, and any instance of a domain
            curl -x {proxyUrl} http://{names[1]}:{port}/
            curl -x {proxyUrl} http://otherdom:{port}/

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
            printf 'GET / HTTP/1.0\r\n\r\n' | {parts.Whip} connect {names[0]}:{port} {dialer}

            # what the brokers see of each other and of a name
            {parts.Whip} status --admin {first.Admin},{second.Admin}
            {parts.Whip} explain {names[0]}:{port} --admin {first.Admin}

            # what a broker counted
            curl http://{first.Metrics}/metrics

            # the silos and their grains, for a browser: http://{first.Admin}/dashboard/

            Ctrl-C ends everything and removes the database and the certificates.
            """;

        string Curl(LocalBroker broker) => string.Join(' ', parts.CurlFlags(broker.Dial));
    }
}
