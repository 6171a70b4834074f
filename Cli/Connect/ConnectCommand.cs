using System.CommandLine;
using Whip.Client;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Cli.Connect;

/// <summary><c>whip connect host:port</c>: standard input and output joined to a dial, as ssh's ProxyCommand wants it.</summary>
internal sealed class ConnectCommand
{
    // What a shell reports for a program that Ctrl-C ended.
    private const int Interrupted = 130;

    private readonly Argument<string> _target = new("host:port") { Description = "The name to dial and its port" };
    private readonly Option<string[]> _brokers = CliOptions.List(
        "--broker", "HOST:PORT of a dial front; the next is tried when one cannot be reached", OptionText.Split(CliOptions.FromEnvironment("--broker")));

    private readonly Option<bool> _tls = new("--tls")
    {
        Description = "Mutual TLS to the broker; on unless --tls=false",
        DefaultValueFactory = _ => CliOptions.FromEnvironment("--tls") is not { Length: > 0 } text || OptionText.Switch(FlagNames.Variable("--tls"), text),
    };

    private readonly Option<string> _keyPath = Text("--tls-key-path", "The private key, PEM");
    private readonly Option<string> _certPath = Text("--tls-cert-path", "The certificate and its intermediates, PEM");
    private readonly Option<string> _caCertPath = Text("--tls-ca-cert-path", "The CAs whose brokers are accepted, PEM");
    private readonly Option<string> _deadline = Text("--deadline", "How long the dial may take", "5s");
    private readonly Option<string> _wait = Text("--wait", "How long to wait for an agent when the name is not live, up to 60s", "0s");

    public static Command Create()
    {
        var connect = new ConnectCommand();
        var command = new Command("connect", "Joins standard input and output to a dial, as an ssh ProxyCommand wants it; each flag also reads WHIP_FLAG.")
        {
            connect._target,
            connect._brokers,
            connect._tls,
            connect._keyPath,
            connect._certPath,
            connect._caCertPath,
            connect._deadline,
            connect._wait,
        };
        command.SetAction(connect.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var error = parsed.InvocationConfiguration.Error;
        var request = Request(parsed);
        var dialer = new WhipDialer(DialerOptions(parsed));
        try
        {
            var result = await dialer.TryDialAsync(request, cancellationToken);
            if (!result.IsConnected)
            {
                await error.WriteLineAsync($"whip: dial {request.Host}:{request.Port}: {DialStatus.ToName(result.Outcome)}: {result.Reason}");
                return 1;
            }

            await using var stream = result.Stream;
            var problem = await new StdioJoin(StandardStreams.OpenInput(), StandardStreams.OpenOutput(), stream).RunAsync(cancellationToken);
            if (problem is not null)
            {
                await error.WriteLineAsync($"whip: {request.Host}:{request.Port}: {Printable.Clean(problem)}");
            }

            return problem is null ? 0 : 1;
        }
        catch (OperationCanceledException)
        {
            return Interrupted;
        }
    }

    private DialRequest Request(ParseResult parsed) => new(OptionText.Target(_target.Name, parsed.GetRequiredValue(_target)))
    {
        Deadline = Duration(_deadline, parsed),
        Wait = Duration(_wait, parsed),
    };

    private WhipDialerOptions DialerOptions(ParseResult parsed) => new()
    {
        Brokers = parsed.GetRequiredValue(_brokers),
        Tls = new WhipTlsOptions
        {
            Enabled = parsed.GetValue(_tls),
            KeyPath = parsed.GetRequiredValue(_keyPath),
            CertPath = parsed.GetRequiredValue(_certPath),
            CaCertPath = parsed.GetRequiredValue(_caCertPath),
        },
    };

    private static TimeSpan Duration(Option<string> option, ParseResult parsed) =>
        OptionText.Duration(option.Name, parsed.GetRequiredValue(option), example: "5s");

    private static Option<string> Text(string name, string help, string defaultValue = "") =>
        CliOptions.Text(name, help, CliOptions.FromEnvironment(name) is { Length: > 0 } value ? value : defaultValue);
}
