using System.Text.Json;
using System.Text.Json.Serialization;

namespace LfrEngine.Watchlists;

/// <summary>Why a person is sought; each category has its own legal basis and its own threshold.</summary>
/// <remarks>Text names in files are those of <see cref="WatchlistCategories"/>; numbers are never written.</remarks>
[JsonConverter(typeof(WatchlistCategoryConverter))]
public enum WatchlistCategory
{
    /// <summary>"wanted": wanted for an offence.</summary>
    Wanted,

    /// <summary>"court-order": subject to an order of a court.</summary>
    CourtOrder,

    /// <summary>"suspect": suspected of an offence.</summary>
    Suspect,

    /// <summary>"missing-or-vulnerable": missing, or vulnerable; gets its own channel and script.</summary>
    MissingOrVulnerable,

    /// <summary>"at-risk": at risk of harm, to themselves or others.</summary>
    AtRiskOfHarm,
}

/// <summary>The stable text names of <see cref="WatchlistCategory"/>.</summary>
public static class WatchlistCategories
{
    /// <summary>Number of categories.</summary>
    public const int Count = 5;

    private static readonly string[] Names = ["wanted", "court-order", "suspect", "missing-or-vulnerable", "at-risk"];

    /// <summary>All text names, in the order of the enum.</summary>
    public static IReadOnlyList<string> AllNames => Names;

    /// <summary>The text name, as written in JSON and CSV.</summary>
    public static string Name(this WatchlistCategory category)
    {
        if ((uint)category >= Count)
            throw new ArgumentOutOfRangeException(nameof(category), category, "Not a watchlist category.");
        return Names[(int)category];
    }

    /// <summary>Reads a text name: exact, lower case, no surrounding space.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out WatchlistCategory category)
    {
        for (int i = 0; i < Names.Length; i++)
        {
            if (text.SequenceEqual(Names[i]))
            {
                category = (WatchlistCategory)i;
                return true;
            }
        }
        category = default;
        return false;
    }

    /// <summary>Reads a text name.</summary>
    /// <exception cref="FormatException">Not one of the names; the message lists them.</exception>
    public static WatchlistCategory Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out WatchlistCategory category)
            ? category
            : throw new FormatException($"'{text}' is not a watchlist category. Allowed: {string.Join(", ", Names)}.");
}

/// <summary>Writes <see cref="WatchlistCategory"/> as its text name and reads nothing else.</summary>
public sealed class WatchlistCategoryConverter : JsonConverter<WatchlistCategory>
{
    /// <inheritdoc/>
    public override WatchlistCategory Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string? text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        return WatchlistCategories.TryParse(text, out WatchlistCategory category)
            ? category
            : throw new JsonException($"A watchlist category is one of: {string.Join(", ", WatchlistCategories.AllNames)}.");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, WatchlistCategory value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Name());
}
