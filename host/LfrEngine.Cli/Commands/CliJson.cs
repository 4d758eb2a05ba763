using System.Text.Json.Serialization.Metadata;
using System.Text.Json.Serialization;
using System.Text.Json;
using LfrEngine.Cli.Cameras;
using LfrEngine.Cli.Screen;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Records.Cameras;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Watchlists;

namespace LfrEngine.Cli.Commands;

/// <summary>JSON output of the commands (docs/json.md).</summary>
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
[JsonSerializable(typeof(ImportReport))]
[JsonSerializable(typeof(CameraLine))]
[JsonSerializable(typeof(HeartbeatLine))]
[JsonSerializable(typeof(AlertLine))]
[JsonSerializable(typeof(RunReport))]
[JsonSerializable(typeof(DiscoveryReport))]
[JsonSerializable(typeof(CameraFindings))]
[JsonSerializable(typeof(FieldCheckPlan))]
internal sealed partial class CliJson : JsonSerializerContext
{
    /// <summary>For one document: indented.</summary>
    public static JsonSerializerOptions Readable { get; } = new(JsonText.Options) { WriteIndented = true, TypeInfoResolver = new CliJson() };

    /// <summary>For JSON lines: one document per line.</summary>
    public static CliJson Lines { get; } = new(new JsonSerializerOptions(JsonText.Options));

    /// <summary>Writes one indented document to standard output.</summary>
    public static void Print<T>(T value, JsonTypeInfo<T> type) =>
        Console.Out.WriteLine(JsonSerializer.Serialize(value, (JsonTypeInfo<T>)Readable.GetTypeInfo(type.Type)));
}
