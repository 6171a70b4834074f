using Xunit;

namespace Whip.Tests.Bench;

/// <summary>
/// A cluster of processes that is held to what it promises within seconds: no other test takes the processor from it.
/// </summary>
[CollectionDefinition(nameof(RunsAlone), DisableParallelization = true)]
public sealed class RunsAlone
{
}
