using Whip.Hosting.Listening;
using Whip.Hosting.Programs;
using Whip.Protocol.Legs;
using Whip.Proxy;

OpenFiles.RequireToStart("whip-proxy");
EngineThread.UseForContinuations();
return await WhipProgram.RunAsync<ProxyProgramOptions>(
    new ProxyFlags(),
    args,
    static (options, context) =>
    {
        options.ReadPassword(Environment.GetEnvironmentVariable);
        return options.WhipExternalTcpAddress.Length > 0
            ? OneProcess.Create(options, context)
            : new WhipProxy(options.Proxy, context.LoggerFactory, context.Metrics, context.Time, context.Descriptors, context.NameOf);
    });
