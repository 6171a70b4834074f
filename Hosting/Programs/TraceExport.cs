using System.Runtime.CompilerServices;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Whip.Protocol.Dialing;

namespace Whip.Hosting.Programs;

/// <summary>Sends the spans of a program's dials to a collector, if the standard variables of OpenTelemetry name one.</summary>
internal sealed class TraceExport : IAsyncDisposable
{
    // For what is left when the program ends: a collector that is away must not hold it.
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(2);

    private readonly TracerProvider _provider;

    private TraceExport(TracerProvider provider) => _provider = provider;

    /// <summary>Null, and nothing is loaded, unless one of the endpoints is set, or <c>OTEL_TRACES_EXPORTER</c> is <c>otlp</c>.</summary>
    /// <param name="program">The name of the service, unless the environment has another.</param>
    /// <param name="variable">Reads a variable of the environment.</param>
    public static TraceExport? Start(string program, Func<string, string?> variable) => IsAsked(variable) ? Start(program) : null;

    public async ValueTask DisposeAsync()
    {
        await Task.Run(() => _provider.Shutdown((int)FlushTimeout.TotalMilliseconds));
        _provider.Dispose();
    }

    private static bool IsAsked(Func<string, string?> variable)
    {
        var exporter = variable("OTEL_TRACES_EXPORTER");
        var isDisabled = "true".Equals(variable("OTEL_SDK_DISABLED"), StringComparison.OrdinalIgnoreCase);
        return !isDisabled
            && (exporter is "otlp"
                || (string.IsNullOrEmpty(exporter)
                    && (IsSet(variable("OTEL_EXPORTER_OTLP_ENDPOINT")) || IsSet(variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")))));
    }

    private static bool IsSet(string? value) => !string.IsNullOrEmpty(value);

    // A method of its own: only its compilation loads OpenTelemetry.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static TraceExport Start(string program)
    {
        var resource = ResourceBuilder.CreateEmpty()
            .AddTelemetrySdk()
            .AddService(program, serviceVersion: BuildInfo.Version)
            .AddEnvironmentVariableDetector();
        return new(Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(DialTrace.SourceName).AddOtlpExporter().Build());
    }
}
