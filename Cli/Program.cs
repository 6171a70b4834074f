using Whip.Cli;
using Whip.Cli.Connect;

// A closed output must not be written to by its number, which is one of the runtime's own descriptors by now.
if (!StandardStreams.IsOpen(1))
{
    Console.SetOut(new StreamWriter(StandardStreams.OpenOutput()) { AutoFlush = true });
}

if (!StandardStreams.IsOpen(2))
{
    Console.SetError(TextWriter.Null);
}

try
{
    return await WhipCommand.RunAsync(args, Console.Out, Console.Error);
}
catch (IOException error)
{
    Console.Error.WriteLine($"whip: standard output: {error.Message}");
    return 1;
}
