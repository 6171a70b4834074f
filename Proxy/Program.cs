using Whip.Hosting.Programs;
using Whip.Proxy;

var flags = new ProxyFlags();
return await WhipProgram.RunAsync(
    flags.Set,
    args,
    (values, context) =>
    {
        var options = flags.Read(values, Environment.GetEnvironmentVariable);
        return flags.ReadOneProcess(values)?.Create(options, context)
            ?? new WhipProxy(options, context.LoggerFactory, context.Metrics, context.Time);
    });
