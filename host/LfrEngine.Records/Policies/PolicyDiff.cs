using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LfrEngine.Records.Policies;

/// <summary>What differs between two policy packs.</summary>
/// <param name="At">Path of the rule, for example categories.wanted.leastThreshold.</param>
/// <param name="Before">As JSON; null if the first pack does not make the rule.</param>
/// <param name="After">As JSON; null if the second pack does not make the rule.</param>
/// <param name="Strictness">Whether the change allows less or more; unknown for texts.</param>
internal sealed record PolicyDifference(string At, string? Before, string? After, PolicyStrictness Strictness)
{
    // The last part of the path decides: more of these allows less.
    private static readonly string[] Floors = ["leastThreshold", "officers"];

    // Less of these allows less.
    private static readonly string[] Ceilings = ["mostPeople", "mostImageDays", "reviewDays", "longestHours", "mostDays", "largestTpirRatio", "largestFpirRatio", "largestSquareKilometres", "metres", "minutes", "alertHours", "watchlistHours", "trainingDays"];

    /// <summary>All differences, in the order of the fields.</summary>
    public static IReadOnlyList<PolicyDifference> Between(PolicyPack before, PolicyPack after)
    {
        Dictionary<string, string> old = Flat(before), now = Flat(after);
        return [.. old.Keys.Union(now.Keys).Where(k => old.GetValueOrDefault(k) != now.GetValueOrDefault(k)).Select(k => new PolicyDifference(k, old.GetValueOrDefault(k), now.GetValueOrDefault(k), Judge(k, old.GetValueOrDefault(k), now.GetValueOrDefault(k))))];
    }

    private static Dictionary<string, string> Flat(PolicyPack pack)
    {
        var flat = new Dictionary<string, string>(StringComparer.Ordinal);
        Add("", JsonNode.Parse(pack.ToText()));
        return flat;

        void Add(string at, JsonNode? node)
        {
            switch (node)
            {
                case JsonObject inner:
                    foreach ((string name, JsonNode? value) in inner)
                        Add(at.Length == 0 ? name : $"{at}.{name}", value);
                    break;
                case JsonArray items when items.All(i => i is JsonObject):
                    foreach (JsonNode? item in items)
                        Add($"{at}[{item!["column"] ?? item["title"] ?? item["kind"]}]", item);
                    break;
                case not null:
                    flat[at] = node.ToJsonString(PolicyPack.Json.Options).ReplaceLineEndings(" ");
                    break;
            }
        }
    }

    private static PolicyStrictness Judge(string at, string? before, string? after)
    {
        string[] path = at.Split('.');
        bool floor = Floors.Contains(path[^1]), ceiling = Ceilings.Contains(path[^1]) || path[0] == "trainingDays";
        if (!floor && !ceiling)
            return PolicyStrictness.Unknown;
        double Of(string? text, double none) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : none;
        double none = floor ? double.NegativeInfinity : double.PositiveInfinity;
        int change = Of(after, none).CompareTo(Of(before, none)) * (floor ? 1 : -1);
        return change > 0 ? PolicyStrictness.Stricter : PolicyStrictness.Looser;
    }
}

/// <summary>Whether a changed rule allows less or more than before.</summary>
internal enum PolicyStrictness
{
    /// <summary>Not a matter of more or less.</summary>
    Unknown,

    /// <summary>It allows less.</summary>
    Stricter,

    /// <summary>It allows more.</summary>
    Looser,
}
