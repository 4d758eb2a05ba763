using System.Text.Json;
using System.Text.Json.Serialization;

namespace LfrEngine.Lab.Output;

/// <summary>Reports as JSON; the schema is docs/lab-json.md.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true,
    Converters = [typeof(CellConverter)], NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(LabReport))]
internal sealed partial class LabJson : JsonSerializerContext
{
    // Created on first use, because the generated Default is a static member of this class.
    private static LabJson? readable;

    /// <summary>Does not escape letters of any script.</summary>
    public static LabJson Readable => readable ??= new LabJson(new JsonSerializerOptions(Default.GeneratedSerializerOptions!)
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    internal sealed class CellConverter : JsonConverter<ReportCell>
    {
        public override ReportCell Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
        {
            JsonTokenType.String => reader.GetString(),
            JsonTokenType.Number => reader.GetDouble(),
            _ => default,
        };

        public override void Write(Utf8JsonWriter writer, ReportCell value, JsonSerializerOptions options)
        {
            if (value.Text is { } text)
                writer.WriteStringValue(text);
            else if (value.Number is { } number)
                writer.WriteNumberValue(number);
            else
                writer.WriteNullValue();
        }
    }
}
