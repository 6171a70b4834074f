using System.Net;
using Whip.Client;
using Whip.Protocol.Connect;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Bench.Demo;

/// <summary>Reaches the services of a <see cref="BrokerDemo"/> in every way a dialer can, and checks who answered.</summary>
internal sealed class DemoDials(BrokerDemo demo, TextWriter output)
{
    // The chance that a fair choice among two misses one of them so often is one in 10^15.
    private const int MaxDomainDials = 50;
    private const int MinDomainDials = 8;

    private static readonly TimeSpan CurlTimeout = TimeSpan.FromSeconds(20);

    // For an agent that has only just started.
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(10);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var dialer = new WhipDialer(new WhipDialerOptions { Brokers = [$"{demo.DialFront}"], Tls = demo.Parts.Dialer });
        using var library = new HttpClient(WhipHttp.CreateHandler(dialer, wait: Wait));
        await StepsAsync("library", demo.Broker, url => GetAsync(library, url, cancellationToken));
        await StepAsync("library", demo.Broker, Url(Certificates.Domain), url => SeeAllAsync(library, url, cancellationToken));
        await StepsAsync(
            HasCurl ? "curl CONNECT" : "CONNECT",
            demo.Broker,
            url => HasCurl ? CurlAsync(url, cancellationToken) : ConnectAsync(url, cancellationToken));
        using var proxied = new HttpClient(new SocketsHttpHandler { Proxy = new WebProxy($"http://{demo.Proxy.Addresses["proxy"]}") });
        await StepsAsync("proxy", demo.Proxy, url => GetAsync(proxied, url, cancellationToken));
    }

    private static bool HasCurl => ProgramFiles.Find("curl") is not null;

    private Uri Url(string name) => new($"http://{name}:{demo.Parts.Port}/");

    private async Task StepsAsync(string way, WhipProcess suspect, Func<Uri, Task<string>> reach)
    {
        foreach (var instance in BrokerDemo.Instances)
        {
            await StepAsync(way, suspect, Url(instance), async url => Check(await reach(url), instance));
        }
    }

    private async Task StepAsync(string way, WhipProcess suspect, Uri url, Func<Uri, Task<string>> reach)
    {
        try
        {
            await output.WriteLineAsync($"{way,-18} {url} says {await reach(url)}");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or DialFailedException or TimeoutException)
        {
            throw (await demo.Programs.FindCulpritAsync(suspect)).Failed($"{way} to {url}: {error.Message}", error);
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

    private static async Task<string> SeeAllAsync(HttpClient client, Uri url, CancellationToken cancellationToken)
    {
        var seen = BrokerDemo.Instances.ToDictionary(instance => $"Hello from {instance}\n", _ => 0);
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

    private async Task<string> CurlAsync(Uri url, CancellationToken cancellationToken)
    {
        string[] args = [.. demo.Parts.CurlFlags(demo.DialFront), "--silent", "--show-error", $"{url}"];
        var curl = await ShellCommand.RunAsync(new ProcessStartInfo("curl", args), CurlTimeout, cancellationToken);
        return curl.ExitCode == 0 ? curl.Text : throw new IOException($"exit code {curl.ExitCode}: {curl.Text.Trim()}");
    }

    private async Task<string> ConnectAsync(Uri url, CancellationToken cancellationToken)
    {
        var dialer = new RawDialer(demo.DialFront, TlsIdentity.Load(demo.Parts.Dialer), new ConnectRequest(DialTarget.Of(url.Host, url.Port)));
        await using var leg = await dialer.DialAsync(Wait, cancellationToken);
        await leg.WriteAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray(), cancellationToken);
        using var reader = new StreamReader(leg);
        var answer = await reader.ReadToEndAsync(cancellationToken);
        return answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
    }
}
