using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LfrEngine.Programs;

/// <summary>How JSON looks that programs of ours write: names in camelCase, nothing for null, letters of every script as they are.</summary>
internal static class JsonText
{
    /// <summary>To be copied: each serializer context binds its own.</summary>
    public static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
