using System.CommandLine;
using Whip.Client;
using Whip.Hosting.Flags;
using Whip.Hosting.Programs;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;

namespace Whip.Cli.Connect;

/// <summary><c>whip connect host:port</c>: joins standard input and output to a dial, for ssh's ProxyCommand.</summary>
internal sealed class ConnectCommand : FlagSet
{
    private ConnectCommand()
        : base("whip connect", "Joins standard input and output to a dial, for an ssh ProxyCommand.", static () => new Options())
    {
        AddPositional(nameof(Options.Target), "host:port", "The name to dial and its port.");
        Add(
            $"{nameof(Options.Dialer)}.{nameof(WhipDialerOptions.Brokers)}", "HOST:PORT",
            "The dial front of a broker; the next one is tried when one cannot be reached.", "broker");
        Add(nameof(Options.Deadline), "DURATION", "How long the dial may take.");
        Add(nameof(Options.Wait), "DURATION", "How long to wait for an agent to register the name, at most 60s.");
        Add(
            $"{nameof(Options.Dialer)}.{nameof(WhipDialerOptions.Keep)}", "",
            "Ask the broker to keep the connection for another dial; false is for what stands between and does not bear it.", "keep");
        AddVia($"{nameof(Options.Dialer)}.{nameof(WhipDialerOptions.Via)}.");
        AddTls("Mutual TLS to the broker.");
    }

    public static Command Create(CommandTree tree) =>
        tree.Command<Options>(new ConnectCommand(), (options, cancellationToken) => RunAsync(options, tree.Error, cancellationToken));

    private static async Task<int> RunAsync(Options options, TextWriter error, CancellationToken cancellationToken)
    {
        var request = options.Request;
        await using var traces = TraceExport.Start("whip connect", Environment.GetEnvironmentVariable);
        using var dialer = new WhipDialer(options.Dialer);
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

    private sealed class Options : ICheckedOptions
    {
        private static readonly string MaxWait = GoDuration.Format(ConnectRequest.MaxWait);

        public string Target { get; set; } = "";

        public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(5);

        public TimeSpan Wait { get; set; }

        public WhipDialerOptions Dialer { get; } = new();

        public WhipTlsOptions Tls => Dialer.Tls;

        public WhipViaOptions Via => Dialer.Via;

        public DialRequest Request => new(OptionText.Target(nameof(Target), Target)) { Deadline = Deadline, Wait = Wait };

        public void Check()
        {
            _ = Request;
            OptionText.Require(Wait <= ConnectRequest.MaxWait, nameof(Wait), GoDuration.Format(Wait), "too long", $"at most {MaxWait}");
            ((ICheckedOptions)Dialer).Check();
        }
    }
}
