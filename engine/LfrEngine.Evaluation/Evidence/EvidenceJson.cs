using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LfrEngine.Evaluation.Evidence;

/// <summary>The text of evidence (docs/lab-json.md).</summary>
[JsonSerializable(typeof(EvidenceDocument))]
internal sealed partial class EvidenceJson : JsonSerializerContext
{
    /// <summary>One document per line; letters as they are.</summary>
    public static EvidenceJson Lines { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
