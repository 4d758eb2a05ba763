using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using LfrEngine.Records.Store;
using LfrEngine.Web.Texts;
using Microsoft.Extensions.Localization;

namespace LfrEngine.Web.Audit;

/// <summary>Says audit entries in sentences. The table from the action to its sentence is <c>Texts/AuditTexts.resx</c>: <c>Say.ACTION</c>.</summary>
/// <remarks>
/// In a sentence {actor} is who did it, {subject} what it was done to, any other name a detail of the entry. What stands between square brackets is left out if a detail
/// in it is missing. Where one action needs several sentences, a detail chooses: <c>Say.alert.decided.viable</c>.
/// </remarks>
internal static partial class AuditWords
{
    /// <summary>The sentence of an entry, in parts: words, and names in braces.</summary>
    public static IReadOnlyList<string> PartsOf(AuditEntry entry, JsonElement details, IStringLocalizer<AuditTexts> texts)
    {
        string sentence = texts[$"Say.{entry.Action}.{ChoiceOf(entry.Action, details)}"] is { ResourceNotFound: false } chosen ? chosen
            : texts[$"Say.{entry.Action}"] is { ResourceNotFound: false } plain ? plain : texts["SayUnknown"];
        sentence = Optional().Replace(sentence, o => Name().Matches(o.Value).All(n => TextOf(details, n.Groups[1].Value) is not null) ? o.Groups[1].Value : "");
        return [.. Name().Split(sentence).Select((part, i) => i % 2 == 1 ? $"{{{part}}}" : part).Where(p => p.Length > 0)];
    }

    /// <summary>A detail in words; null if the entry has none of this name.</summary>
    public static string? TextOf(JsonElement details, string name) =>
        details.ValueKind == JsonValueKind.Object && details.TryGetProperty(name, out JsonElement value) && Text(value) is { Length: > 0 } text ? text : null;

    private static string? ChoiceOf(string action, JsonElement details) => action switch
    {
        "alert.decided" => TextOf(details, "undoes") is null ? TextOf(details, "to") : "undone",
        "alert.raised" => details.TryGetProperty("rolePlayer", out JsonElement played) && played.ValueKind == JsonValueKind.True ? "role-player" : null,
        _ => null,
    };

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Number => value.TryGetInt64(out long whole) ? whole.ToString(CultureInfo.InvariantCulture) : value.GetDouble().ToString("0.###", CultureInfo.InvariantCulture),
        JsonValueKind.Array => string.Join(", ", value.EnumerateArray().Select(Text)),
        JsonValueKind.Null => "",
        _ => value.GetRawText(),
    };

    [GeneratedRegex(@"\[([^\]]*)\]")]
    private static partial Regex Optional();

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Name();
}
