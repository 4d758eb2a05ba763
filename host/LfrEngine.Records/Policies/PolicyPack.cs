using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using LfrEngine.Records.Configuration;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Policies;

/// <summary>The rules under which deployments run, as a signed, versioned file: a changed rule is a new file, not a new program.</summary>
/// <remarks>A rule that a pack does not make is not checked. Where lfr.json sets the same limit, the stricter one counts. Fields are explained in docs/policies.md.</remarks>
public sealed record PolicyPack
{
    /// <summary>Current format version.</summary>
    public const int CurrentFormat = 1;

    // Written by people, so with comments; signed without them.
    private static readonly JsonSerializerOptions Options = new(StrictJson.Options)
    {
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Of this document.</summary>
    public required int FormatVersion { get; init; }

    /// <summary>For people.</summary>
    public required string Name { get; init; }

    /// <summary>Of the rules; every change has another one.</summary>
    public required string Version { get; init; }

    /// <summary>Whose rules they are, and what they are not.</summary>
    public required string Issuer { get; init; }

    /// <summary>What the rules were written from.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>First day.</summary>
    public required DateOnly ValidFrom { get; init; }

    /// <summary>Last day: from the next one on nothing runs until the rules have been reviewed.</summary>
    public required DateOnly ReviewBy { get; init; }

    /// <summary>Where deployments may be.</summary>
    public WhereRules? Where { get; init; }

    /// <summary>Why people may be sought, by the name of the category. A category that is not named may not be sought.</summary>
    public required IReadOnlyDictionary<string, CategoryRules> Categories { get; init; }

    /// <summary>Most people on a list, all categories together.</summary>
    public int? MostPeople { get; init; }

    /// <summary>Longest time that one authority covers, hours.</summary>
    public double? LongestHours { get; init; }

    /// <summary>What evidence must show.</summary>
    public EvidenceRules? Evidence { get; init; }

    /// <summary>Who signs.</summary>
    public SigningRules? Signing { get; init; }

    /// <summary>Days for which a training is current, by role.</summary>
    public IReadOnlyDictionary<string, int> TrainingDays { get; init; } = new Dictionary<string, int>();

    /// <summary>Officers who must be there while the engine runs.</summary>
    public PresenceRules? Presence { get; init; }

    /// <summary>Impact assessments and policies that must be in force.</summary>
    public IReadOnlyList<PolicyDocument> Documents { get; init; } = [];

    /// <summary>How long things are kept at most.</summary>
    public RetentionRules? Retention { get; init; }

    /// <summary>What the public is told.</summary>
    public PublicRules? Public { get; init; }

    internal static JsonTypeInfo<PolicyPack> Json => (JsonTypeInfo<PolicyPack>)Options.GetTypeInfo(typeof(PolicyPack));

    /// <summary>The text that is signed: JSON, indented, in the order of the fields.</summary>
    public string ToText() => JsonSerializer.Serialize(this, Json);

    /// <summary>Reads a pack that is not signed yet.</summary>
    /// <exception cref="JsonException">It is not a policy pack.</exception>
    public static PolicyPack Parse(string text) => JsonSerializer.Deserialize(text, Json) ?? throw new JsonException("it is empty");

    /// <summary>What is wrong with the rules themselves; empty if nothing.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>();
        void Need(bool holds, string at, string what)
        {
            if (!holds)
                faults.Add($"{at}: {what}");
        }
        void NeedText(string? text, string at, int longest = 4000) => Need(text is null || (text.Trim().Length > 0 && text.Length <= longest && Shown.IsPlain(text, lines: true)), at, $"1 to {longest} characters that can be seen");

        Need(FormatVersion == CurrentFormat, "formatVersion", $"this program reads {CurrentFormat}");
        NeedText(Name, "name", 100);
        NeedText(Version, "version", 40);
        NeedText(Issuer, "issuer", 300);
        Need(ReviewBy >= ValidFrom, "reviewBy", "must not be before validFrom");
        Need(Categories.Count > 0, "categories", "at least one");
        foreach ((string name, CategoryRules rules) in Categories)
        {
            string at = $"categories.{name}";
            Need(WatchlistCategories.TryParse(name, out _), at, $"not a category. Allowed: {string.Join(", ", WatchlistCategories.AllNames)}");
            Need(rules.LeastThreshold is null or (> 0 and <= 1), $"{at}.leastThreshold", "more than 0, up to 1");
            Need(rules.MostPeople is null or >= 0, $"{at}.mostPeople", "0 or more");
            Need(rules.MostImageDays is null or >= 1, $"{at}.mostImageDays", "1 or more");
            Need(rules.ReviewDays is null or >= 1, $"{at}.reviewDays", "1 or more");
            NeedText(rules.Response, $"{at}.response");
        }
        Need(MostPeople is null or > 0, "mostPeople", "more than 0");
        Need(LongestHours is null or (> 0 and <= 24), "longestHours", "more than 0, up to 24");
        if (Where is { } where)
        {
            Need(where.Grounds.Count > 0, "where.grounds", "at least one");
            foreach ((string id, string words) in where.Grounds)
                Need(id.Length is > 0 and <= 40 && words.Trim().Length > 0 && Shown.IsPlain(id) && Shown.IsPlain(words), $"where.grounds.{id}", "an id of up to 40 characters, and words");
            Need(where.LargestSquareKilometres is null or > 0, "where.largestSquareKilometres", "more than 0");
        }
        if (Evidence is { } evidence)
        {
            const string At = "evidence";
            Need(evidence.MostDays is null or > 0, $"{At}.mostDays", "more than 0");
            foreach (string protocol in evidence.Protocols)
                Need(protocol is "identify" or "calibrate" or "passages", $"{At}.protocols", $"\"{protocol}\" is not one of identify, calibrate and passages");
            faults.AddRange(GroupGate.Faults(evidence.Groups).Select(f => $"{At}.groups: {f}"));
        }
        foreach ((string role, int days) in TrainingDays)
        {
            Need(Security.Roles.All.Contains(role), $"trainingDays.{role}", $"not a role. Allowed: {string.Join(", ", Security.Roles.All)}");
            Need(days > 0, $"trainingDays.{role}", "more than 0");
        }
        if (Presence is { } presence)
        {
            const string At = "presence";
            Need(presence.Officers is >= 1 and <= 100, $"{At}.officers", "1 to 100");
            Need(presence.Minutes is >= 1 and <= 240, $"{At}.minutes", "1 to 240");
            Need(presence.Metres is >= 10 and <= 10_000, $"{At}.metres", "10 to 10000");
            Need(Where?.AreaRequired == true, At, "needs where.areaRequired, because the distance is from the area");
        }
        for (int i = 0; i < Documents.Count; i++)
        {
            NeedText(Documents[i].Title, $"documents[{i}].title", 300);
            NeedText(Documents[i].Version, $"documents[{i}].version", 40);
            Need(Documents[i].Sha256 is { Length: 64 } hash && hash.All(char.IsAsciiHexDigitLower), $"documents[{i}].sha256", "64 lower-case hexadecimal digits");
        }
        if (Retention is { } retention)
        {
            Need(retention.AlertHours is >= 0 and <= 24, "retention.alertHours", "0 to 24");
            Need(retention.WatchlistHours is >= 0 and <= 24, "retention.watchlistHours", "0 to 24");
        }
        NeedText(Public?.Text, "public.text");
        return faults;
    }
}

/// <summary>Where deployments may be.</summary>
public sealed record WhereRules
{
    /// <summary>Grounds that an authority may name, by id, in words: for example a hotspot of serious crime, protective security, or intelligence about a person.</summary>
    public required IReadOnlyDictionary<string, string> Grounds { get; init; }

    /// <summary>Whether an authority must draw its area on the map.</summary>
    public bool AreaRequired { get; init; }

    /// <summary>Largest area.</summary>
    public double? LargestSquareKilometres { get; init; }
}

/// <summary>Rules for one category.</summary>
public sealed record CategoryRules
{
    /// <summary>Floor of the comparison score.</summary>
    public double? LeastThreshold { get; init; }

    /// <summary>Most people of this category on a list.</summary>
    public int? MostPeople { get; init; }

    /// <summary>Oldest photo when a list is built, days.</summary>
    public int? MostImageDays { get; init; }

    /// <summary>Longest time since an entry was reviewed when a list is built, days.</summary>
    public int? ReviewDays { get; init; }

    /// <summary>Text that the authority's response must contain.</summary>
    public string? Response { get; init; }
}

/// <summary>What evidence must show before a threshold may be used.</summary>
public sealed record EvidenceRules
{
    /// <summary>Oldest evidence on the day of the deployment, days.</summary>
    public int? MostDays { get; init; }

    /// <summary>First day of a measurement that counts: after a pause, evidence from before it re-arms nothing.</summary>
    public DateOnly? Since { get; init; }

    /// <summary>Protocols that count; empty for all.</summary>
    public IReadOnlyList<string> Protocols { get; init; } = [];

    /// <summary>Largest differences between groups.</summary>
    public IReadOnlyList<GroupDemand> Groups { get; init; } = [];
}

/// <summary>Who signs an authority.</summary>
public sealed record SigningRules
{
    /// <summary>Ranks that may sign.</summary>
    public IReadOnlyList<string> Ranks { get; init; } = [];

    /// <summary>Ranks that may sign second, where a threshold becomes lower; empty for <see cref="Ranks"/>.</summary>
    public IReadOnlyList<string> SecondRanks { get; init; } = [];

    /// <summary>Whether a senior accountable person must be named (BS 9347).</summary>
    public bool AccountablePerson { get; init; }
}

/// <summary>Officers who must be there.</summary>
/// <param name="Officers">How many.</param>
/// <param name="Minutes">How long a check-in counts.</param>
/// <param name="Metres">How far from the area they may be.</param>
public sealed record PresenceRules(int Officers, int Minutes, double Metres);

/// <summary>A document that must be in force.</summary>
/// <param name="Kind">For example dpia, eia or policy.</param>
/// <param name="Title">For people.</param>
/// <param name="Version">Of the document.</param>
/// <param name="Sha256">Of its file.</param>
/// <param name="ReviewBy">Last day; from the next one on nothing runs until it has been reviewed.</param>
public sealed record PolicyDocument(string Kind, string Title, string Version, string Sha256, DateOnly ReviewBy);

/// <summary>Longest retention.</summary>
/// <param name="AlertHours">Of the pictures of an alert.</param>
/// <param name="WatchlistHours">Of a list after its deployment.</param>
public sealed record RetentionRules(double AlertHours, double WatchlistHours);

/// <summary>What the public is told.</summary>
public sealed record PublicRules
{
    /// <summary>Printed before the retention policy.</summary>
    public string? Text { get; init; }

    /// <summary>Whether officers may record the perceived group of a false alert, which is then published as counts.</summary>
    public bool FalseAlertGroups { get; init; } = true;
}
