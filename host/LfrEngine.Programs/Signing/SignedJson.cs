using System.Text.Json;
using System.Text.Json.Serialization;

namespace LfrEngine.Programs;

/// <summary>The text of signed documents (docs/json.md).</summary>
[JsonSerializable(typeof(string))]
internal sealed partial class SignedJson : JsonSerializerContext
{
    /// <summary>One document per line.</summary>
    public static SignedJson Lines { get; } = new(new JsonSerializerOptions(JsonText.Options));
}
