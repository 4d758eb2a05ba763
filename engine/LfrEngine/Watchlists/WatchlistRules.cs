using System.Buffers;
using System.Numerics.Tensors;
using System.Text;
using LfrEngine.Matching;

namespace LfrEngine.Watchlists;

/// <summary>The rules every watchlist obeys, whether it was just built or read from a file.</summary>
internal static class WatchlistRules
{
    public const int MaximumEmbeddingLength = 4096;
    public const int MaximumIdentities = 1_000_000;
    public const int MaximumPhotoBytes = 1 << 20;
    public const int MaximumEmbedderIdBytes = 200;
    public const double UnitNormTolerance = 1e-3;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private const int MaximumIdLength = 128;
    private const int MaximumTextLength = 256;

    /// <summary>Elements of the embedding matrix: its bytes must fit one span.</summary>
    public const int MaximumEmbeddingElements = int.MaxValue / sizeof(float);

    public static WatchlistException Broken(string message) => new(WatchlistFailure.InvalidContent, message);

    public static void CheckEmbedder(string embedderId, string embedderSha256, int embeddingLength)
    {
        CheckText(embedderId, "embedder id", MaximumIdLength, mayBeEmpty: false);
        if (Encoding.UTF8.GetByteCount(embedderId) > MaximumEmbedderIdBytes)
            throw Broken($"The embedder id is longer than {MaximumEmbedderIdBytes} bytes.");
        if (embedderSha256 is not { Length: 64 } || embedderSha256.AsSpan().ContainsAnyExcept(HexDigits))
            throw Broken("The embedder's SHA-256 is not 64 lower-case hexadecimal digits.");
        if (embeddingLength is < 1 or > MaximumEmbeddingLength)
            throw Broken($"An embedding of length {embeddingLength} is outside 1…{MaximumEmbeddingLength}.");
    }

    public static void CheckVersion(string version) => CheckText(version, "watchlist version", MaximumIdLength, mayBeEmpty: false);

    public static void CheckIdentity(WatchlistIdentity identity)
    {
        if (ProblemOf(identity) is { } problem)
            throw Broken(problem);
    }

    /// <summary>What is wrong with an identity; null if nothing.</summary>
    public static string? ProblemOf(WatchlistIdentity identity) =>
        ProblemOf(identity.Id, "id", MaximumIdLength, mayBeEmpty: false)
        ?? ProblemOf(identity.Name, "name", MaximumTextLength, mayBeEmpty: true)
        ?? ProblemOf(identity.Reference ?? "", "reference", MaximumTextLength, mayBeEmpty: true)
        ?? ProblemOf(identity.Source ?? "", "source", MaximumTextLength, mayBeEmpty: true)
        ?? ((uint)identity.Category >= WatchlistCategories.Count ? $"The category is not valid. Allowed: {string.Join(", ", WatchlistCategories.AllNames)}." : null);

    public static void CheckEmbedding(ReadOnlySpan<float> embedding, int templateIndex)
    {
        // Values that are not finite fail as well: the comparison is false for NaN.
        double norm = Math.Sqrt(TensorPrimitives.SumOfSquares(embedding));
        if (!(Math.Abs(norm - 1) <= UnitNormTolerance))
            throw Broken($"Template {templateIndex} is not a finite embedding of unit length.");
    }

    public static void CheckQuality(float quality, int templateIndex)
    {
        if (!float.IsFinite(quality))
            throw Broken($"Template {templateIndex} has a quality that is not a number.");
    }

    public static void CheckCover(FaceCover cover, bool hasPhoto, int templateIndex)
    {
        if (cover != FaceCover.None && !hasPhoto)
            throw Broken($"Template {templateIndex} is of a covered picture, but no template of the uncovered photo of this person comes before it.");
    }

    public static void CheckPhotoBytes(int bytes, int templateIndex)
    {
        if (bytes is < 0 or > MaximumPhotoBytes)
            throw Broken($"The photo of template {templateIndex} is larger than {MaximumPhotoBytes} bytes.");
    }

    private static void CheckText(string? text, string what, int maximumLength, bool mayBeEmpty)
    {
        if (ProblemOf(text, what, maximumLength, mayBeEmpty) is { } problem)
            throw Broken(problem);
    }

    private static string? ProblemOf(string? text, string what, int maximumLength, bool mayBeEmpty)
    {
        if (text is null || (!mayBeEmpty && string.IsNullOrWhiteSpace(text)))
            return $"The {what} is empty.";
        if (text.Length > maximumLength)
            return $"The {what} is longer than {maximumLength} characters.";
        // Half a surrogate pair would be read back as another character, and two ids could become equal.
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(rest, out Rune rune, out int used) != OperationStatus.Done || Rune.IsControl(rune))
                return $"The {what} contains a control character or invalid text.";
            rest = rest[used..];
        }
        return null;
    }
}
