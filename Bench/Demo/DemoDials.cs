using System.Diagnostics;
using System.Net;
using Whip.Client;
using Whip.Harness;
using Whip.Harness.Checking;
using Whip.Harness.Programs;
using Whip.Protocol.Connect;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Bench.Demo;

/// <summary>Reaches the services of a <see cref="DemoSystem"/> in every way a dialer can, and checks who answered.</summary>
internal sealed class DemoDials(DemoSystem system, TextWriter output)
{
    // That a fair choice among two misses one of them so often has a chance of one in 10^15.
    private const int MaxDomainDials = 50;
    private const int MinDomainDials = 8;

    // For an agent that has only just started.
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(10);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var dialer = new WhipDialer(new WhipDialerOptions { Brokers = [$"{system.DialFront}"], Tls = system.Parts.Dialer });
        using var library = new HttpClient(WhipHttp.CreateHandler(dialer, wait: Wait));
        foreach (var instance in DemoSystem.Instances)
        {
            await StepAsync("library", system.Broker, Url(instance), async url => Check(await GetAsync(library, url, cancellationToken), instance));
        }

        await StepAsync("library", system.Broker, Url(Certificates.Domain), url => SeeAllAsync(library, url, cancellationToken));
        foreach (var instance in DemoSystem.Instances)
        {
            await StepAsync(HasCurl ? "curl CONNECT" : "CONNECT", system.Broker, Url(instance), async url => Check(await ConnectAsync(url, cancellationToken), instance));
        }

        using var proxied = new HttpClient(new SocketsHttpHandler { Proxy = new WebProxy($"http://{system.Proxy.Addresses["proxy"]}") });
        foreach (var instance in DemoSystem.Instances)
        {
            await StepAsync("proxy", system.Proxy, Url(instance), async url => Check(await GetAsync(proxied, url, cancellationToken), instance));
        }
    }

    private static bool HasCurl =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "curl")));

    private Uri Url(string name) => new($"http://{name}:{system.Parts.Port}/");

    private async Task StepAsync(string way, WhipProcess suspect, Uri url, Func<Uri, Task<string>> reach)
    {
        try
        {
            await output.WriteLineAsync($"{way,-18} {url} says {await reach(url)}");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or DialFailedException or TimeoutException)
        {
            throw (await system.Programs.FindCulpritAsync(suspect)).Failed($"{way} to {url}: {error.Message}", error);
        }
    }

    private static string Check(string answer, string instance) =>
        answer == $"Hello from {instance}\n" ? $"\"{answer.TrimEnd()}\"" : throw new IOException($"the answer was \"{answer.TrimEnd()}\"");

    private static async Task<string> GetAsync(HttpClient client, Uri url, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { ConnectionClose = true } };
        using var response = await client.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStringAsync(cancellationToken);
    }

    /// <summary>Dials the domain until every instance has answered.</summary>
    private static async Task<string> SeeAllAsync(HttpClient client, Uri url, CancellationToken cancellationToken)
    {
        var seen = DemoSystem.Instances.ToDictionary(instance => $"Hello from {instance}\n", _ => 0);
        for (var dials = 0; dials < MinDomainDials || seen.ContainsValue(0); dials++)
        {
            if (dials == MaxDomainDials)
            {
                throw new IOException($"{dials} dials of the domain never reached one of its instances");
            }

            var answer = await GetAsync(client, url, cancellationToken);
            if (!seen.TryGetValue(answer, out var times))
            {
                throw new IOException($"the answer was \"{answer.TrimEnd()}\"");
            }

            seen[answer] = times + 1;
        }

        return string.Join(" and ", seen.Select(s => $"\"{s.Key.TrimEnd()}\" {s.Value} times"));
    }

    private Task<string> ConnectAsync(Uri url, CancellationToken cancellationToken) =>
        HasCurl ? CurlAsync(url, cancellationToken) : OwnConnectAsync(url, cancellationToken);

    private async Task<string> CurlAsync(Uri url, CancellationToken cancellationToken)
    {
        string[] args = [.. system.Parts.CurlFlags(system.DialFront), "--silent", "--show-error", "--max-time", "20", $"{url}"];
        using var curl = Process.Start(new ProcessStartInfo("curl", args)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            var (answer, error) = (curl.StandardOutput.ReadToEndAsync(cancellationToken), curl.StandardError.ReadToEndAsync(cancellationToken));
            await curl.WaitForExitAsync(cancellationToken);
            return curl.ExitCode == 0 ? await answer : throw new IOException($"exit code {curl.ExitCode}: {(await error).Trim()}");
        }
        finally
        {
            curl.Kill();
        }
    }

    private async Task<string> OwnConnectAsync(Uri url, CancellationToken cancellationToken)
    {
        var dialer = new RawDialer(system.DialFront, TlsIdentity.Load(system.Parts.Dialer), new ConnectRequest(DialTarget.Of(url.Host, url.Port)));
        await using var leg = await dialer.DialAsync(cancellationToken);
        await leg.WriteAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray(), cancellationToken);
        using var reader = new StreamReader(leg);
        var answer = await reader.ReadToEndAsync(cancellationToken);
        return answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
    }
}
