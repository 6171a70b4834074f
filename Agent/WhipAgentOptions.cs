using Whip.Hosting;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;

namespace Whip.Agent;

/// <summary>What one agent publishes, and where it registers.</summary>
public sealed class WhipAgentOptions : ICheckedOptions
{
    /// <summary>A stream to every address the endpoints resolve to, for <see cref="Homes"/>.</summary>
    public const int AllHomes = int.MaxValue;

    /// <summary>The first label of the registered name; default the machine's name up to its first dot.</summary>
    public string Hostname { get; set; } = Environment.MachineName.Split('.')[0];

    /// <summary>The rest of the registered name, one label or more. Required.</summary>
    public string Domain { get; set; } = "";

    /// <summary>
    /// The ports that may be dialled, 1 to 64 of them, and where the agent connects for each; it connects to nothing else. A number is the same port of
    /// <see cref="TargetHost"/>.
    /// </summary>
    public IList<PublishedPort> Ports { get; set; } = [];

    /// <summary>Where the published ports are listened on that name no other host; default 127.0.0.1.</summary>
    public string TargetHost { get; set; } = "127.0.0.1";

    /// <summary>
    /// The published ports whose service is told who dials, by a header of the PROXY protocol, version 2, before the first byte: <c>80</c> tells the
    /// dialer's address, the dialled name and the names in the dialer's certificate, <c>80=address</c> the address alone.
    /// </summary>
    public IList<string> ProxyProtocol { get; set; } = [];

    /// <summary>
    /// Which of the published ports are checked, and how: <c>80=tcp</c> connects, <c>80=http:/healthz</c> asks for that path with the registered name as
    /// host, and takes a status of 200 to 399. While its check fails, no dial of a domain comes to the port, and a dial of the instance is told so.
    /// </summary>
    public IList<string> Checks { get; set; } = [];

    /// <summary>From one check of a port to the next, at least 100 ms; default 5 seconds.</summary>
    public TimeSpan CheckInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a check may take before it has failed; default 2 seconds.</summary>
    public TimeSpan CheckTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How many checks in a row must fail, or pass, before the port counts as failing, or as healthy again; 1 to 100, default 2.</summary>
    public int CheckThreshold { get; set; } = 2;

    /// <summary>Control listeners of brokers, <c>host:port</c>; <c>:port</c> is 127.0.0.1. Names are looked up every 5 seconds. At least one.</summary>
    public IList<string> Endpoints { get; set; } = [];

    /// <summary>How many addresses to keep a control stream to, default 2, or <see cref="AllHomes"/>.</summary>
    public int Homes { get; set; } = 2;

    /// <summary>
    /// Which dialers may connect: patterns with <c>*</c> and <c>?</c> for the names in the dialer's certificate, as the broker verified them.
    /// Empty, the default: everyone whom the broker allows. Otherwise a dialer without a certificate is refused.
    /// </summary>
    public IList<string> AllowDialers { get; set; } = [];

    /// <summary>Where the agent runs, sent to the broker; default none.</summary>
    public string Zone { get; set; } = "";

    /// <summary>Use a leg to a broker for one dial after the other, if the broker does; default true.</summary>
    public bool Keep { get; set; } = true;

    /// <summary>How long open relays may continue after a stop, default 30 seconds; then they are reset.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Certificate, key and CA for every connection to a broker; on by default.</summary>
    public WhipTlsOptions Tls { get; set; } = new();

    /// <summary>The HTTP proxy through which the brokers are reached; default as the environment says.</summary>
    public WhipViaOptions Via { get; set; } = new();

    /// <summary>Every bound.</summary>
    public WhipLimits Limits { get; } = new();

    void ICheckedOptions.Check() => AgentSettings.Check(this);
}
