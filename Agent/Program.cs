using Whip.Agent;
using Whip.Hosting.Programs;

var flags = new AgentFlags();
return await WhipProgram.RunAsync(flags.Set, args, flags.Create);
