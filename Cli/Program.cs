return await Whip.Cli.WhipCommand.RunAsync(args, Console.Out, Console.Error);
