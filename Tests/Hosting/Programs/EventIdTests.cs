using System.Reflection;
using Microsoft.Extensions.Logging;
using Whip.Agent;
using Whip.Broker;
using Whip.Client;
using Whip.Hosting.Programs;
using Whip.Proxy;

namespace Whip.Tests.Hosting.Programs;

/// <summary>A log line is found again by its event id, in any version and in the log of any program.</summary>
public sealed class EventIdTests
{
    [Fact]
    public void No_two_log_messages_have_the_same_event_id()
    {
        Assembly[] assemblies =
        [
            typeof(WhipBroker).Assembly, typeof(WhipAgent).Assembly, typeof(WhipProxy).Assembly, typeof(WhipDialer).Assembly, typeof(WhipLogging).Assembly,
            typeof(Whip.Grains.GrainCluster).Assembly, typeof(Whip.Registry.Routes.LocalRoutes).Assembly, typeof(Whip.Protocol.LogRation).Assembly,
            typeof(Whip.AspNetCore.IWhipDialFeature).Assembly,
        ];
        var messages = assemblies.SelectMany(assembly => assembly.GetTypes())
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Select(method => (Name: $"{method.DeclaringType}.{method.Name}", Id: method.GetCustomAttribute<LoggerMessageAttribute>()?.EventId))
            .Where(message => message.Id is not null)
            .ToList();
        Assert.InRange(messages.Count, 100, 1000);
        Assert.Empty(messages.GroupBy(message => message.Id).Where(same => same.Count() > 1).Select(same => string.Join(" and ", same)));
    }
}
