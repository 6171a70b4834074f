using Whip.Hosting.Flags;
using Whip.Tests.Docs;

namespace Whip.Tests.Deploy;

/// <summary>A service's command line as its program reads it, with the files that its volumes would give it.</summary>
internal sealed class ComposeRun
{
    private readonly ComposeService _service;

    /// <param name="service">One of our programs.</param>
    /// <param name="certificates">The folder that stands for the volumes' <c>/certs</c>.</param>
    public ComposeRun(ComposeService service, string certificates)
    {
        _service = service;
        string[] arguments = [.. service.Arguments.Select(argument => argument.StartsWith('/') ? Local(argument, certificates) : argument)];
        Values = service.Flags.Parse(arguments, name => service.Environment.GetValueOrDefault(name)).Values;
    }

    public FlagValues Values { get; }

    public int MetricsPort => Port("metrics-listen");

    public string this[string flag] => Values[flag];

    /// <summary>Of an address to listen on.</summary>
    public int Port(string flag) => ListenAddress.Parse(flag, Values[flag]).Port;

    private string Local(string path, string certificates)
    {
        var (mount, source) = _service.Mounts.FirstOrDefault(mount => path == mount.Key || path.StartsWith($"{mount.Key}/", StringComparison.Ordinal));
        Assert.True(mount is not null, $"{_service.Name}: nothing is mounted at {path}");
        return source.StartsWith('.') ? Path.Combine(Documents.Root, source) : certificates + path["/certs".Length..];
    }
}
