using Whip.Harness;

namespace Whip.Bench.Demo;

/// <summary>Commands for another terminal, each complete in itself.</summary>
internal static class WhatToTry
{
    public static string Text(DemoSystem system, string programFolder)
    {
        var domain = $"{Certificates.Domain}:{system.Port}";
        var instance = $"{DemoSystem.Instances[0]}.{domain}";
        return $"""

            Everything runs. Try in another terminal:

            # the instances, or any of the domain, through the HTTP proxy
            curl -x http://{system.Proxy.Addresses["proxy"]} http://{instance}/
            curl -x http://{system.Proxy.Addresses["proxy"]} http://{domain}/

            # a CONNECT at the broker's dial front, with the dialer's certificate
            curl {string.Join(' ', DemoDials.CurlFlags(system.DialFront, system.Dialer))} http://{domain}/

            # a dial joined to standard input and output, as ssh's ProxyCommand wants it
            printf 'GET / HTTP/1.0\r\n\r\n' | {Whip(programFolder)} connect {instance} --broker {system.DialFront} {string.Join(' ', Certificates.Flags(system.Dialer))}

            # what the broker counted
            curl http://{system.Broker.Addresses["metrics"]}/metrics

            Ctrl-C ends everything and removes the certificates.
            """;
    }

    /// <summary>The short way that <c>make</c> leaves in bin, where that is the same program.</summary>
    public static string Whip(string programFolder)
    {
        const string Short = "bin/whip";
        var program = Path.Combine(programFolder, "whip");
        return File.Exists(Short) && File.ResolveLinkTarget(Short, returnFinalTarget: true)?.FullName == program ? Short : program;
    }
}
