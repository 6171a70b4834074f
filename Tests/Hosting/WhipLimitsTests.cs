using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Whip.Agent;
using Whip.Broker;
using Whip.Hosting;
using Whip.Protocol.Options;
using Whip.Proxy;

namespace Whip.Tests.Hosting;

public sealed class WhipLimitsTests
{
    private static readonly string[] MayBeZero = [nameof(WhipLimits.MaxWait)];

    public static TheoryData<string, object> Wrong
    {
        get
        {
            var wrong = new TheoryData<string, object>
            {
                { nameof(WhipLimits.ControlMessageSize), 1024 },
                { nameof(WhipLimits.ConnectHeadSize), 100 },
                { nameof(WhipLimits.PongTimeout), new WhipLimits().PingInterval },
            };
            foreach (var limit in typeof(WhipLimits).GetProperties())
            {
                var isNumber = limit.PropertyType == typeof(int);
                wrong.Add(limit.Name, isNumber ? -1 : TimeSpan.FromTicks(-1));
                wrong.Add(limit.Name, isNumber ? int.MaxValue : TimeSpan.MaxValue);
                if (!MayBeZero.Contains(limit.Name))
                {
                    wrong.Add(limit.Name, isNumber ? 0 : TimeSpan.Zero);
                }
            }

            return wrong;
        }
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_limit_that_cannot_work_is_named(string limit, object value)
    {
        var limits = new WhipLimits();
        typeof(WhipLimits).GetProperty(limit)!.SetValue(limits, value);
        Assert.Equal($"Limits.{limit}", Assert.Throws<WhipOptionException>(limits.Check).Option);
    }

    [Fact]
    public void The_least_and_the_defaults_work()
    {
        new WhipLimits().Check();
        new WhipLimits { MaxWait = TimeSpan.Zero, PingInterval = TimeSpan.FromMilliseconds(1), PendingDials = 1 }.Check();
    }

    public static TheoryData<string, Action<IServiceCollection>> Embedded => new()
    {
        { "WhipBrokerOptions.Limits.PendingDials \"0\": ", services => services.AddWhipBroker(o => Spoil(Broker(o).Limits)) },
        { "WhipBrokerOptions.DrainTimeout \"-00:00:01\": ", services => services.AddWhipBroker(o => Broker(o).DrainTimeout = TimeSpan.FromSeconds(-1)) },
        { "WhipBrokerOptions.DrainDelay \"1001h\": ", services => services.AddWhipBroker(o => Broker(o).DrainDelay = TimeSpan.FromHours(1001)) },
        { "WhipBrokerOptions.Cluster \"7\": ", services => services.AddWhipBroker(o => Broker(o).Cluster = (ClusterEngine)7) },
        { "WhipBrokerOptions.Balance \"7\": ", services => services.AddWhipBroker(o => Broker(o).Balance = (Whip.Registry.BalancePolicy)7) },
        { "WhipAgentOptions.Limits.PendingDials \"0\": ", services => services.AddWhipAgent(o => Spoil(Agent(o).Limits)) },
        { "WhipAgentOptions.DrainTimeout \"-00:00:01\": ", services => services.AddWhipAgent(o => Agent(o).DrainTimeout = TimeSpan.FromSeconds(-1)) },
        { "WhipAgentOptions.Homes \"-1\": ", services => services.AddWhipAgent(o => Agent(o).Homes = -1) },
        { "WhipProxyOptions.Limits.PendingDials \"0\": ", services => services.AddWhipProxy(o => Spoil(Proxy(o).Limits)) },
        { "WhipProxyOptions.DrainTimeout \"1001h\": ", services => services.AddWhipProxy(o => Proxy(o).DrainTimeout = TimeSpan.FromHours(1001)) },
        { "WhipProxyOptions.ListenPort \"65536\": ", services => services.AddWhipProxy(o => Proxy(o).ListenPort = 65536) },
    };

    [Theory]
    [MemberData(nameof(Embedded))]
    public async Task An_embedded_part_names_the_property_before_anything_starts(string problem, Action<IServiceCollection> add)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        add(builder.Services);
        using var host = builder.Build();
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.StartsWith(problem, error.Message);
    }

    private static void Spoil(WhipLimits limits) => limits.PendingDials = 0;

    private static WhipBrokerOptions Broker(WhipBrokerOptions options)
    {
        (options.GrpcListen, options.TcpListen, options.DialListen, options.Tls.Enabled) = ("127.0.0.1:0", "127.0.0.1:0", "", false);
        return options;
    }

    private static WhipAgentOptions Agent(WhipAgentOptions options)
    {
        (options.Domain, options.Ports, options.Endpoints, options.Tls.Enabled) = ("testdom", [1], [":1"], false);
        return options;
    }

    private static WhipProxyOptions Proxy(WhipProxyOptions options)
    {
        (options.Brokers, options.Tls.Enabled) = ([":1"], false);
        return options;
    }
}
