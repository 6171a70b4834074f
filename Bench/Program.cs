using Whip.Bench;

using var interrupt = new Interrupt();
return await BenchCommand.RunAsync(args, Console.Out, Console.Error, interrupt.Token);
