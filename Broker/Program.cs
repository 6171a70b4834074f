using Whip.Broker;
using Whip.Hosting.Programs;

var flags = new BrokerFlags();
return await WhipProgram.RunAsync(
    flags.Set,
    args,
    (values, context) => new WhipBroker(flags.Read(values), context.LoggerFactory, context.Metrics, context.Time));
