using System.Text.Json;
using System.Text.Json.Serialization;

namespace Whip.Protocol.Admin;

/// <summary>How a broker's admin listener writes its answers, and the command reads them.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(BrokerStatus))]
[JsonSerializable(typeof(ClientList))]
[JsonSerializable(typeof(NameExplanation))]
internal sealed partial class AdminJson : JsonSerializerContext;
