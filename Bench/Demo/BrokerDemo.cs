using System.Net;
using Whip.Protocol;

namespace Whip.Bench.Demo;

/// <summary>
/// <c>whip-bench demo</c> and <c>whip-bench up</c>: one broker, two agents of one domain with an HTTP service behind each, and a proxy, all mutual TLS,
/// all on this machine.
/// </summary>
internal sealed class BrokerDemo : IAsyncDisposable
{
    public static readonly IReadOnlyList<string> Instances = [$"instance1.{Certificates.Domain}", $"instance2.{Certificates.Domain}"];

    private static readonly TimeSpan DemoTimeout = TimeSpan.FromMinutes(2);

    private readonly CertificateFiles _certificates;
    private readonly TextWriter _output;

    private BrokerDemo(string programFolder, TextWriter output)
    {
        _output = output;
        Programs = new WhipProcesses(programFolder);
        _certificates = new CertificateFiles(Programs.Folder, tls: true);
        Parts = new DemoParts(Programs, _certificates, programFolder, Instances, output);
    }

    public WhipProcesses Programs { get; }

    public DemoParts Parts { get; }

    public WhipProcess Broker { get; private set; } = null!;

    public WhipProcess Proxy { get; private set; } = null!;

    public IPEndPoint DialFront => Broker.Addresses["dial"];

    /// <summary>Starts everything, dials in every way and ends everything.</summary>
    public static async Task DemoAsync(string programFolder, TextWriter output, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        using (var deadline = new Deadline(DemoTimeout, TimeProvider.System, cancellationToken))
        {
            await using var demo = new BrokerDemo(programFolder, output);
            await demo.ShowAsync(deadline.Token);
        }

        await output.WriteLineAsync($"demo: ok in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
    }

    /// <summary>Does the same, prints what to try, and stays until cancelled.</summary>
    public static async Task UpAsync(string programFolder, TextWriter output, CancellationToken cancellationToken)
    {
        await using var demo = new BrokerDemo(programFolder, output);
        await demo.ShowAsync(cancellationToken);
        await output.WriteLineAsync(demo.WhatToTry());
        try
        {
            var ended = await demo.Programs.FirstToEndAsync(cancellationToken);

            // Ctrl-C goes to every program of a terminal: one of them may end before this one has received it.
            await Task.Delay(TimeSpan.FromSeconds(0.5), cancellationToken);
            throw ended.Failed($"ended with exit code {await ended.Ended}");
        }
        catch (OperationCanceledException)
        {
            await output.WriteLineAsync("stopping");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Programs.DisposeAsync();
        await Parts.DisposeAsync();
    }

    private async Task ShowAsync(CancellationToken cancellationToken)
    {
        await Parts.ReportAsync("certificates", $"a CA, a broker's, {string.Join("'s, ", Instances)}'s and a dialer's, in {Programs.Folder}");
        string[] args =
        [
            "--grpc-listen", "127.0.0.1:0", "--tcp-listen", "127.0.0.1:0", "--dial-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0",
            "--admin-listen", "127.0.0.1:0", "--drain-timeout", "1s", .. Certificates.Flags(_certificates.Broker()),
        ];
        Broker = await Programs.StartAsync("broker", "whip-broker", args, cancellationToken);
        await Parts.ReportAsync(Broker);
        await Parts.StartAgentsAsync([Broker.Addresses["grpc"]], cancellationToken);
        Proxy = await Parts.StartProxyAsync([DialFront], cancellationToken);
        await new DemoDials(this, _output).RunAsync(cancellationToken);
    }

    /// <summary>Commands for another terminal, each complete in itself.</summary>
    private string WhatToTry()
    {
        var domain = $"{Certificates.Domain}:{Parts.Port}";
        var instance = $"{Instances[0]}:{Parts.Port}";
        var proxy = Proxy.Addresses["proxy"];
        var dialerFlags = string.Join(' ', Certificates.Flags(Parts.Dialer));
        return $"""

            Everything runs. Try in another terminal:

            # the instances, or any of the domain, through the HTTP proxy
            curl -x http://{proxy} http://{instance}/
            curl -x http://{proxy} http://{domain}/

            # a CONNECT at the broker's dial front, with the dialer's certificate
            curl {string.Join(' ', Parts.CurlFlags(DialFront))} http://{domain}/

            # a dial joined to standard input and output, as ssh's ProxyCommand wants it
            printf 'GET / HTTP/1.0\r\n\r\n' | {Parts.Whip} connect {instance} --broker {DialFront} {dialerFlags}

            # what the broker counted
            curl http://{Broker.Addresses["metrics"]}/metrics

            Ctrl-C ends everything and removes the certificates.
            """;
    }
}
