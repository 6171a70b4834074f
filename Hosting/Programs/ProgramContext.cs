using Microsoft.Extensions.Logging;
using Whip.Hosting.Metrics;

namespace Whip.Hosting.Programs;

/// <summary>What <see cref="WhipProgram"/> gives the program it runs.</summary>
internal sealed record ProgramContext(ILoggerFactory LoggerFactory, IMetricFactory Metrics, TimeProvider Time);
