using Whip.Broker;
using Whip.Hosting.Programs;

OpenFiles.RequireToStart("whip-broker");
EngineThread.UseForContinuations();
return await WhipProgram.RunAsync<WhipBrokerOptions>(
    new BrokerFlags(),
    args,
    static (options, context) => new WhipBroker(
        options, context.LoggerFactory, context.Metrics, context.Time, context.Descriptors, context.NameOf));
