using System.Collections.Concurrent;
using System.Net;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Whip.Tests.Support;

/// <summary>Takes spans over OTLP (protobuf in HTTP), and reads of them what tests ask for.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<OtlpSpan> _spans = [];

    private OtlpCollector()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.MapPost("/v1/traces", TakeAsync);
    }

    /// <summary>For a program that is to send its spans here.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = _app.Urls.Single(),
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_BSP_SCHEDULE_DELAY"] = "50",
    };

    public static async Task<OtlpCollector> StartAsync()
    {
        var collector = new OtlpCollector();
        await collector._app.StartAsync();
        return collector;
    }

    public IEnumerable<IGrouping<string, OtlpSpan>> Traces() => _spans.GroupBy(span => span.TraceId);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        foreach (var resourceSpans in Messages(body.ToArray(), 1))
        {
            var attributes = Messages(resourceSpans, 1).SelectMany(resource => Messages(resource, 1));
            var resource = attributes.ToDictionary(attribute => Text(attribute, 1), attribute => Text(Messages(attribute, 2).Single(), 1));
            foreach (var span in Messages(resourceSpans, 2).SelectMany(scope => Messages(scope, 2)))
            {
                var process = resource["service.instance.id"];
                _spans.Enqueue(new OtlpSpan(Hex(span, 1), Hex(span, 2), Hex(span, 4), Text(span, 5), resource["service.name"], process));
            }
        }

        context.Response.ContentType = "application/x-protobuf";
    }

    private static string Hex(byte[] message, int field) => Convert.ToHexStringLower(Messages(message, field).SingleOrDefault([]));

    private static string Text(byte[] message, int field) =>
        Messages(message, field).SingleOrDefault() is { } text ? System.Text.Encoding.UTF8.GetString(text) : "";

    /// <summary>The values of a field with a length.</summary>
    private static List<byte[]> Messages(byte[] message, int field)
    {
        List<byte[]> found = [];
        var input = new CodedInputStream(message);
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (tag == WireFormat.MakeTag(field, WireFormat.WireType.LengthDelimited))
            {
                found.Add(input.ReadBytes().ToByteArray());
            }
            else
            {
                input.SkipLastField();
            }
        }

        return found;
    }
}

/// <summary>One span; ids in hex, the parent's empty if it has none.</summary>
internal sealed record OtlpSpan(string TraceId, string Id, string ParentId, string Name, string Service, string Process);
