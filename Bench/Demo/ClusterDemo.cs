using Whip.Harness;
using Whip.Harness.Cluster;
using Whip.Harness.Programs;

namespace Whip.Bench.Demo;

/// <summary><c>whip-bench up-cluster</c>: a whole cluster on this machine, to be tried and troubled.</summary>
internal sealed class ClusterDemo(string programFolder, TextWriter output)
{
    private static readonly string[] Names = ["instance1.testdom", "instance2.testdom", "instance1.otherdom", "instance2.otherdom"];

    // Of each agent, which is left to its default.
    private const int Homes = 2;

    private static readonly TimeSpan HomesTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Starts everything, tells what to try, and stays until cancelled, whatever becomes of the brokers.</summary>
    /// <exception cref="PartFailedException">A part did not start, or did not answer.</exception>
    public async Task UpAsync(CancellationToken cancellationToken)
    {
        var setup = new ClusterSetup(programFolder, Tls: true) { BrokerFlags = ["--drain-timeout", "5s"] };
        await using var cluster = await LocalCluster.StartAsync(setup, cancellationToken);
        await using var parts = new DemoParts(cluster.Programs, cluster.CertificateFiles, programFolder, output);
        await parts.TellAsync("PostgreSQL", $"127.0.0.1:{cluster.Postgres.Port}, with a database of its own");
        foreach (var broker in cluster.Brokers)
        {
            await parts.TellAsync(broker.Program);
        }

        await parts.StartAgentsAsync(Names, [.. cluster.Brokers.Select(b => b.Grpc)], cancellationToken);
        var proxy = await parts.StartProxyAsync(cluster.Brokers.Select(b => b.Dial), cancellationToken);
        await AwaitAllAsync(cluster, parts.Port, cancellationToken);
        await output.WriteLineAsync(WhatToTry(cluster, parts, proxy));
        await WatchAsync(cluster, parts, cancellationToken);
    }

    /// <summary>What is told to be tried works at once: every agent is dialable at every broker, and still is when one of them dies.</summary>
    private static async Task AwaitAllAsync(LocalCluster cluster, int port, CancellationToken cancellationToken)
    {
        foreach (var (name, broker) in Names.SelectMany(name => cluster.Brokers.Select(broker => (name, broker))))
        {
            await cluster.AwaitDialableAsync(broker, name, port, cancellationToken);
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(HomesTimeout);
        while ((await Task.WhenAll(cluster.Brokers.Select(b => b.ReadStatusAsync(cancellationToken)))).Sum(s => s.Streams) < Names.Length * Homes)
        {
            if (deadline.IsCancellationRequested)
            {
                cancellationToken.ThrowIfCancellationRequested();
                throw new PartFailedException("agents", $"not each has {Homes} homes within {HomesTimeout.TotalSeconds} s", []);
            }

            await Task.Delay(20, cancellationToken);
        }
    }

    /// <summary>A broker may be killed for a try: the others go on, and so does this.</summary>
    private async Task WatchAsync(LocalCluster cluster, DemoParts parts, CancellationToken cancellationToken)
    {
        try
        {
            var running = cluster.Brokers.Select(b => b.Program).ToList();
            while (running.Count > 0)
            {
                await Task.WhenAny(running.Select(p => p.Ended)).WaitAsync(cancellationToken);
                foreach (var ended in running.Where(p => p.Ended.IsCompleted).ToArray())
                {
                    await parts.TellAsync(ended.Part, $"ended with exit code {await ended.Ended}");
                    running.Remove(ended);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }

        await output.WriteLineAsync("stopping");
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
