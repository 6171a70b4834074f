using System.Net.Sockets;
using Whip.Agent.Legs;
using Whip.Hosting.Programs;
using Whip.Protocol;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Agent.Checks;

/// <summary>
/// Runs the check of one port, each time over a connection of its own to the port's target, within its time. An HTTP check is a GET of
/// <see cref="HttpClient"/>; only the head of the answer is read.
/// </summary>
internal sealed class CheckRun : IDisposable
{
    private const int MaxHeadKilobytes = 16;

    private static readonly HttpRequestOptionsKey<bool> HasConnected = new("Whip.HasConnected");

    private readonly AgentSettings _settings;
    private readonly PortCheck _check;
    private readonly LocalTarget _target;
    private readonly Connector _connector;
    private readonly TimeProvider _time;
    private readonly HttpMessageInvoker? _http;

    public CheckRun(AgentSettings settings, PortCheck check, Connector connector, TimeProvider time)
    {
        (_settings, _check, _target, _connector, _time) = (settings, check, settings.Ports[check.Port], connector, time);
        _http = check.Path is null ? null : new HttpMessageInvoker(NewHandler());
    }

    /// <summary>Never fails, unless it is cancelled.</summary>
    /// <exception cref="OperationCanceledException">The agent stops.</exception>
    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        using var deadline = new Deadline(_settings.Options.CheckTimeout, _time, stopping);
        try
        {
            return _http is null ? await ConnectAsync(deadline.Token) : await GetAsync(_http, deadline.Token);
        }
        catch (Exception error) when (!stopping.IsCancellationRequested && FailureOf(error) is { } failure)
        {
            return new CheckResult(false, failure, Detail: error.GetBaseException().Message);
        }
    }

    public void Dispose() => _http?.Dispose();

    private async Task<CheckResult> ConnectAsync(CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        return CheckResult.Ok;
    }

    private async Task<CheckResult> GetAsync(HttpMessageInvoker http, CancellationToken cancellationToken)
    {
        // The handler needs a host; the service sees the one that dialers name.
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://localhost{_check.Path}");
        request.Headers.Host = $"{_settings.Name}:{_check.Port}";
        request.Headers.ConnectionClose = true;
        request.Headers.TryAddWithoutValidation("User-Agent", $"whip-agent/{BuildInfo.Version}");
        using var response = await http.SendAsync(request, cancellationToken);
        var status = (int)response.StatusCode;
        return status is >= 200 and < 400 ? CheckResult.Ok : new CheckResult(false, CheckFailure.Status, status, $"status {status}");
    }

    private SocketsHttpHandler NewHandler() => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ActivityHeadersPropagator = null,
        PooledConnectionLifetime = TimeSpan.Zero,
        MaxResponseHeadersLength = MaxHeadKilobytes,
        MaxResponseDrainSize = 0,
        ConnectCallback = ConnectOnceAsync,
    };

    /// <summary>The handler repeats a request whose connection ends without an answer.</summary>
    private async ValueTask<Stream> ConnectOnceAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var options = context.InitialRequestMessage.Options;
        if (options.TryGetValue(HasConnected, out _))
        {
            throw new IOException("the service ended the connection without an answer");
        }

        options.Set(HasConnected, true);
        return await OpenAsync(cancellationToken);
    }

    private async Task<Leg> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = await _target.ConnectAsync(_connector, cancellationToken);
        if (!_settings.ProxyProtocol.ContainsKey(_check.Port))
        {
            return connection;
        }

        try
        {
            await connection.WriteAsync(ProxyHeader.Local, cancellationToken);
            return connection;
        }
        catch
        {
            connection.Abort();
            throw;
        }
    }

    private static CheckFailure? FailureOf(Exception error) => error switch
    {
        OperationCanceledException => CheckFailure.Timeout,
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded } => CheckFailure.NotHttp,
        HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } => CheckFailure.Lost,
        HttpRequestException { InnerException: { } inner } => FailureOf(inner),
        HttpRequestException => CheckFailure.Other,
        HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse } => CheckFailure.NotHttp,
        SocketException socket => Of(socket.SocketErrorCode),
        IOException { InnerException: SocketException socket } => Of(socket.SocketErrorCode),
        IOException => CheckFailure.Lost,
        _ => null,
    };

    private static CheckFailure Of(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => CheckFailure.Refused,
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => CheckFailure.Lost,
        SocketError.TimedOut => CheckFailure.Timeout,
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain or SocketError.NoRecovery or SocketError.HostUnreachable
            or SocketError.NetworkUnreachable or SocketError.AddressNotAvailable => CheckFailure.Unreachable,
        _ => CheckFailure.Other,
    };
}
