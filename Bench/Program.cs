using Whip.Bench;
using Whip.Hosting.Programs;

LocalNames.NeedNoProxy();
using var signals = new StopSignals(ProgramTerminal.OfProcess());
return await BenchCommand.RunAsync(args, Console.Out, Console.Error, signals.Stop);
