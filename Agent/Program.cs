using Whip.Agent;
using Whip.Hosting.Listening;
using Whip.Hosting.Programs;
using Whip.Protocol.Legs;

OpenFiles.RequireToStart("whip-agent");
EngineThread.UseForContinuations();
return await WhipProgram.RunAsync<WhipAgentOptions>(
    new AgentFlags(),
    args,
    static (options, context) => new WhipAgent(
        options, WhipAgent.NewOpenings(context.Time), context.LoggerFactory, context.Metrics, context.Time, descriptors: context.Descriptors));
