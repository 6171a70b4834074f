using System.Diagnostics;
using Whip.Harness;
using Whip.Harness.Programs;

namespace Whip.Bench.Demo;

/// <summary><c>whip-bench demo</c> and <c>whip-bench up</c>: a whole Whip on this machine, shown at work.</summary>
internal static class DemoRun
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    /// <summary>Starts everything, dials in every way, ends everything.</summary>
    /// <exception cref="PartFailedException">A part failed.</exception>
    public static async Task DemoAsync(string programFolder, TextWriter output, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        using (var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            deadline.CancelAfter(Timeout);
            await using var system = new DemoSystem(programFolder, output);
            await ShowAsync(system, output, deadline.Token);
        }

        await output.WriteLineAsync($"demo: ok in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
    }

    /// <summary>Does the same, tells what to try, and stays until cancelled.</summary>
    /// <exception cref="PartFailedException">A part failed, or a program ended.</exception>
    public static async Task UpAsync(string programFolder, TextWriter output, CancellationToken cancellationToken)
    {
        await using var system = new DemoSystem(programFolder, output);
        await ShowAsync(system, output, cancellationToken);
        await output.WriteLineAsync(WhatToTry(system));
        try
        {
            var ended = await system.Programs.FirstToEndAsync(cancellationToken);

            // Ctrl-C goes to every program of a terminal: one of them may end before this one has heard of it.
            await Task.Delay(TimeSpan.FromSeconds(0.5), cancellationToken);
            throw ended.Failed($"ended with exit code {await ended.Ended}");
        }
        catch (OperationCanceledException)
        {
            await output.WriteLineAsync("stopping");
        }
    }

    private static async Task ShowAsync(DemoSystem system, TextWriter output, CancellationToken cancellationToken)
    {
        await system.StartAsync(cancellationToken);
        await new DemoDials(system, output).RunAsync(cancellationToken);
    }

    /// <summary>Commands for another terminal, each complete in itself.</summary>
    private static string WhatToTry(DemoSystem system)
    {
        var domain = $"{Certificates.Domain}:{system.Parts.Port}";
        var instance = $"{DemoSystem.Instances[0]}:{system.Parts.Port}";
        var proxy = system.Proxy.Addresses["proxy"];
        var dialerFlags = string.Join(' ', Certificates.Flags(system.Parts.Dialer));
        return $"""

            Everything runs. Try in another terminal:

            # the instances, or any of the domain, through the HTTP proxy
            curl -x http://{proxy} http://{instance}/
            curl -x http://{proxy} http://{domain}/

            # a CONNECT at the broker's dial front, with the dialer's certificate
            curl {string.Join(' ', system.Parts.CurlFlags(system.DialFront))} http://{domain}/

            # a dial joined to standard input and output, as ssh's ProxyCommand wants it
            printf 'GET / HTTP/1.0\r\n\r\n' | {system.Parts.Whip} connect {instance} --broker {system.DialFront} {dialerFlags}

            # what the broker counted
            curl http://{system.Broker.Addresses["metrics"]}/metrics

            Ctrl-C ends everything and removes the certificates.
            """;
    }
}
