using Microsoft.Extensions.Logging;
using Prometheus;

namespace Whip.Hosting.Programs;

/// <summary>What <see cref="WhipProgram"/> gives the program it runs.</summary>
internal sealed record ProgramContext(ILoggerFactory LoggerFactory, CollectorRegistry Metrics, TimeProvider Time);
