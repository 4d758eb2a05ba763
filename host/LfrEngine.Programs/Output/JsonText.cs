using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LfrEngine.Programs;

/// <summary>JSON settings of all programs: names in camelCase, null values omitted, non-ASCII letters unescaped.</summary>
internal static class JsonText
{
    /// <summary>Copy it: each serializer context binds its own instance.</summary>
    public static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
