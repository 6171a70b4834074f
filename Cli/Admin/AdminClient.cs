using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Cli.Admin;

/// <summary>The answer of one broker, as JSON and as an object, or one line that says what went wrong and what to try.</summary>
internal sealed record AdminAnswer<T>(string Admin, T? Value, JsonNode? Document, string? Problem)
    where T : class;

/// <summary>Asks the admin listeners of brokers. A failure is one line of text, not an exception.</summary>
internal sealed class AdminClient : IDisposable
{
    private const int MaxAnswer = 64 * 1024 * 1024;

    private readonly HttpClient _http;

    public AdminClient(string? token)
    {
        // A proxy of the environment is meant for other hosts, and a broker never redirects.
        var connector = new Connector(TimeProvider.System);
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellationToken) =>
                await connector.ConnectAsync(HostPort.Of(context.DnsEndPoint.Host, context.DnsEndPoint.Port), cancellationToken),
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(3),
        };
        _http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(15), MaxResponseContentBufferSize = MaxAnswer };
        _http.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
    }

    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<AdminAnswer<T>> AskAsync<T>(string admin, string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            using var response = await _http.GetAsync(new Uri($"http://{admin}{path}"), cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            return response.StatusCode == HttpStatusCode.OK ? Read(admin, text, type) : Failed<T>(admin, Refusal(admin, response, text));
        }
        catch (HttpRequestException error)
        {
            return Failed<T>(admin, error.InnerException is SocketException socket ? Unreachable(admin, socket) : $"{NotAdmin(admin)} ({error.Message})");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Failed<T>(admin, $"{admin} does not answer in time; is the address right, and the broker alive?");
        }
    }

    public void Dispose() => _http.Dispose();

    private static AdminAnswer<T> Read<T>(string admin, string text, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonNode.Parse(text) is { } document && document.Deserialize(type) is { } value
                ? new AdminAnswer<T>(admin, value, document, null)
                : Failed<T>(admin, NotAdmin(admin));
        }
        catch (JsonException)
        {
            return Failed<T>(admin, NotAdmin(admin));
        }
    }

    private static AdminAnswer<T> Failed<T>(string admin, string problem)
        where T : class => new(admin, null, null, Printable.Clean(problem, maxLength: 512));

    private static string Unreachable(string admin, SocketException error) => error.SocketErrorCode == SocketError.ConnectionRefused
        ? $"nobody listens at {admin}; is a broker running there, with --admin-listen?"
        : $"{admin} cannot be reached: {error.Message}; is it where --admin-listen of the broker says?";

    private string Refusal(string admin, HttpResponseMessage response, string text) => response.StatusCode switch
    {
        HttpStatusCode.Unauthorized when _http.DefaultRequestHeaders.Authorization is not null =>
            $"{admin} does not accept this token; try the --admin-token-path FILE that the broker was started with",
        HttpStatusCode.Unauthorized => $"{admin} asks for a token; try --admin-token-path FILE",
        HttpStatusCode.Forbidden or HttpStatusCode.MisdirectedRequest or HttpStatusCode.GatewayTimeout =>
            $"{admin} refuses: {text.Split('\n')[0]}",
        _ => $"{NotAdmin(admin)} (HTTP {(int)response.StatusCode}: {text.Split('\n')[0]})",
    };

    private static string NotAdmin(string admin) => $"{admin} is not a broker's admin listener; try the address after admin= in its ready line";
}
