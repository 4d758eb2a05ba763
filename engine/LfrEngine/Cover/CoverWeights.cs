using System.Text.Json;

namespace LfrEngine.Cover;

/// <summary>Weights of <see cref="CoverJudge"/>: one hidden layer, then a logistic output per part.</summary>
/// <param name="Hidden">Units of the hidden layer.</param>
/// <param name="First">[Hidden, <see cref="CoverFeatures.Count"/>].</param>
/// <param name="FirstBias">[Hidden].</param>
/// <param name="Second">[3, Hidden].</param>
/// <param name="SecondBias">[3].</param>
internal sealed record CoverWeights(int Hidden, float[] First, float[] FirstBias, float[] Second, float[] SecondBias)
{
    /// <summary>Number of parts that are judged.</summary>
    public const int Parts = 3;

    // Weights are written as whole multiples of this.
    private const float Step = 1 / 512f;

    /// <summary>The engine's weights, fitted by <c>lfr-lab cover-judge --write</c>.</summary>
    internal static CoverWeights Default { get; } = ReadDefault();

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="JsonException">The text is not in this format.</exception>
    public static CoverWeights Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        using JsonDocument document = JsonDocument.ParseValue(ref reader);
        JsonElement root = document.RootElement;
        float[] Numbers(string name) => [.. root.GetProperty(name).EnumerateArray().Select(e => e.GetInt32() * Step)];
        var weights = new CoverWeights(root.GetProperty("hidden").GetInt32(), Numbers("first"), Numbers("firstBias"), Numbers("second"), Numbers("secondBias"));
        bool fits = weights.First.Length == weights.Hidden * CoverFeatures.Count && weights.FirstBias.Length == weights.Hidden
            && weights.Second.Length == Parts * weights.Hidden && weights.SecondBias.Length == Parts;
        return fits ? weights : throw new JsonException("The weights of the cover judge have other sizes than the features.");
    }

    /// <summary>Writes the weights, rounded to multiples of the step.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("madeBy", "lfr-lab cover-judge --write");
        json.WriteNumber("hidden", Hidden);
        foreach ((string name, float[] numbers) in (ReadOnlySpan<(string, float[])>)[("first", First), ("firstBias", FirstBias), ("second", Second), ("secondBias", SecondBias)])
        {
            json.WriteStartArray(name);
            foreach (float number in numbers)
                json.WriteNumberValue((int)MathF.Round(number / Step));
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static CoverWeights ReadDefault()
    {
        using Stream resource = typeof(CoverWeights).Assembly.GetManifestResourceStream("cover-judge.json")!;
        byte[] json = new byte[resource.Length];
        resource.ReadExactly(json);
        return Read(json);
    }
}
