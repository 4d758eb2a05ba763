using System.Text.Json;
using System.Text.Json.Serialization;
using LfrEngine.Evaluation.Evidence;

namespace LfrEngine.Programs;

/// <summary>The text of signed documents (docs/json.md).</summary>
[JsonSerializable(typeof(EvidenceDocument))]
[JsonSerializable(typeof(string))]
internal sealed partial class SignedJson : JsonSerializerContext
{
    /// <summary>One document per line.</summary>
    public static SignedJson Lines { get; } = new(new JsonSerializerOptions(JsonText.Options));
}
