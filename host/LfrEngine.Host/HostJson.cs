using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Host.Commands;
using LfrEngine.Host.Screen;

namespace LfrEngine.Host;

/// <summary>What the commands print for machines. The schema is docs/json.md.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ModelListing[]))]
[JsonSerializable(typeof(ModelListing))]
[JsonSerializable(typeof(VerifyReport))]
[JsonSerializable(typeof(AllPairsReport))]
[JsonSerializable(typeof(DetectReport))]
[JsonSerializable(typeof(BenchReport))]
[JsonSerializable(typeof(EnrolReport))]
[JsonSerializable(typeof(ReenrolReport))]
[JsonSerializable(typeof(Finding[]))]
[JsonSerializable(typeof(DeadlineLine))]
[JsonSerializable(typeof(ErasureReceipt))]
[JsonSerializable(typeof(Watchlists.DestructionReceipt))]
[JsonSerializable(typeof(Watchlists.ImportReport))]
[JsonSerializable(typeof(EvidenceDocument))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(CameraLine))]
[JsonSerializable(typeof(HeartbeatLine))]
[JsonSerializable(typeof(AlertLine))]
[JsonSerializable(typeof(RunReport))]
[JsonSerializable(typeof(Cameras.DiscoveryReport))]
[JsonSerializable(typeof(Cameras.CameraFindings))]
internal sealed partial class HostJson : JsonSerializerContext
{
    // Made on first use: the generated Default is itself a static of this class.
    private static JsonSerializerOptions? readable;
    private static HostJson? lines;

    /// <summary>For one document: indented.</summary>
    public static JsonSerializerOptions Readable => readable ??= new JsonSerializerOptions(Default.GeneratedSerializerOptions!)
    {
        WriteIndented = true,
        TypeInfoResolver = Default,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>For JSON lines: one document per line, letters of every script as they are.</summary>
    public static HostJson Lines => lines ??= new HostJson(new JsonSerializerOptions(Default.GeneratedSerializerOptions!)
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>Writes one indented document to standard output.</summary>
    public static void Print<T>(T value, JsonTypeInfo<T> type) =>
        Console.Out.WriteLine(JsonSerializer.Serialize(value, (JsonTypeInfo<T>)Readable.GetTypeInfo(type.Type)));
}
