using Whip.Harness;
using Whip.Harness.Cluster;
using Whip.Harness.Programs;

namespace Whip.Bench.Demo;

/// <summary><c>whip-bench up-cluster</c>: a whole cluster on this machine, to be tried and troubled.</summary>
internal sealed class ClusterDemo(string programFolder, TextWriter output)
{
    private static readonly string[] Domains = ["testdom", "otherdom"];
    private static readonly string[] Hostnames = ["instance1", "instance2"];

    // Of each agent, which is left to its default.
    private const int Homes = 2;

    private static readonly TimeSpan HomesPatience = TimeSpan.FromSeconds(30);

    /// <summary>Starts everything, tells what to try, and stays until cancelled, whatever becomes of the brokers.</summary>
    /// <exception cref="PartFailedException">A part did not start, or did not answer.</exception>
    public async Task UpAsync(CancellationToken cancellationToken)
    {
        var setup = new ClusterSetup(programFolder, Tls: true) { BrokerFlags = ["--drain-timeout", "5s"] };
        await using var cluster = await LocalCluster.StartAsync(setup, cancellationToken);
        await output.WriteLineAsync($"{"PostgreSQL",-13} 127.0.0.1:{cluster.Postgres.Port}, with a database of its own");
        foreach (var broker in cluster.Brokers)
        {
            await TellAsync(broker.Program, string.Join(' ', broker.Program.Addresses.Select(a => $"{a.Key}={a.Value}")));
        }

        string[] names = [.. Domains.SelectMany(domain => Hostnames.Select(hostname => $"{hostname}.{domain}"))];
        var services = await HttpService.StartAllAsync(names, cancellationToken);
        try
        {
            foreach (var (name, service) in names.Zip(services))
            {
                await StartAgentAsync(cluster, name, service, cancellationToken);
            }

            var proxy = await StartProxyAsync(cluster, cancellationToken);
            await AwaitAllAsync(cluster, names, services[0].Port, cancellationToken);
            await output.WriteLineAsync(WhatToTryCluster.Text(cluster, proxy, names, services[0].Port, programFolder));
            await WatchAsync(cluster, cancellationToken);
        }
        finally
        {
            await HttpService.DisposeAllAsync(services);
        }
    }

    private async Task StartAgentAsync(LocalCluster cluster, string name, HttpService service, CancellationToken cancellationToken)
    {
        var (hostname, domain) = (name.Split('.')[0], name.Split('.')[1]);
        string[] args =
        [
            "--hostname", hostname, "--domain", domain, "--ports", $"{service.Port}", "--target-host", $"{service.Host}", "--drain-timeout", "1s",
            .. Certificates.Flags(cluster.CertificateFiles.Client(name)), .. cluster.Brokers.Select(b => $"{b.Grpc}"),
        ];
        var agent = await cluster.Programs.StartAsync(name, "whip-agent", args, cancellationToken);
        await TellAsync(agent, $"publishes port {service.Port}, an HTTP service on {service.Host}");
    }

    private async Task<WhipProcess> StartProxyAsync(LocalCluster cluster, CancellationToken cancellationToken)
    {
        var brokers = cluster.Brokers.SelectMany(b => new[] { "--broker", $"{b.Dial}" });
        string[] args = [.. brokers, "--proxy-listen-port", "0", "--drain-timeout", "1s", .. Certificates.Flags(cluster.Dialer)];
        var proxy = await cluster.Programs.StartAsync("proxy", "whip-proxy", args, cancellationToken);
        await TellAsync(proxy, $"an HTTP proxy on {proxy.Addresses["proxy"]}, which knows all brokers");
        return proxy;
    }

    /// <summary>What is told to be tried works at once: every agent is dialable at every broker, and still is when one of them dies.</summary>
    private static async Task AwaitAllAsync(LocalCluster cluster, string[] names, int port, CancellationToken cancellationToken)
    {
        foreach (var (name, broker) in names.SelectMany(name => cluster.Brokers.Select(broker => (name, broker))))
        {
            await cluster.AwaitDialableAsync(broker, name, port, cancellationToken);
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(HomesPatience);
        while ((await Task.WhenAll(cluster.Brokers.Select(b => b.ReadStatusAsync(cancellationToken)))).Sum(s => s.Streams) < names.Length * Homes)
        {
            if (patience.IsCancellationRequested)
            {
                cancellationToken.ThrowIfCancellationRequested();
                throw new PartFailedException("agents", $"not each has {Homes} homes within {HomesPatience.TotalSeconds} s", []);
            }

            await Task.Delay(20, cancellationToken);
        }
    }

    /// <summary>A broker may be killed for a try: the others go on, and so does this.</summary>
    private async Task WatchAsync(LocalCluster cluster, CancellationToken cancellationToken)
    {
        try
        {
            var running = cluster.Brokers.Select(b => b.Program).ToList();
            while (running.Count > 0)
            {
                await Task.WhenAny(running.Select(p => p.Ended)).WaitAsync(cancellationToken);
                foreach (var ended in running.Where(p => p.Ended.IsCompleted).ToArray())
                {
                    await output.WriteLineAsync($"{ended.Part,-13} ended with exit code {await ended.Ended}");
                    running.Remove(ended);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }

        await output.WriteLineAsync("stopping");
    }

    private Task TellAsync(WhipProcess program, string text) => output.WriteLineAsync($"{program.Part,-13} process {program.Id}, {text}");
}
