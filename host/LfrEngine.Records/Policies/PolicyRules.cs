using LfrEngine.Evaluation.Evidence;
using LfrEngine.Records.Authorities;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Policies;

/// <summary>Checks an authority against the rules of a policy pack, and its evidence against what the authority itself demands.</summary>
internal static class PolicyRules
{
    /// <summary>Every rule that is broken, with the field of the draft that it is about.</summary>
    /// <param name="pack">Its rules.</param>
    /// <param name="authority">Drafted or signed.</param>
    /// <param name="people">On its list, by category.</param>
    /// <param name="today">In the installation's time zone.</param>
    public static IEnumerable<DraftFault> Broken(PolicyPack pack, Authority authority, IReadOnlyDictionary<WatchlistCategory, int> people, DateOnly today)
    {
        string rules = $"the policy {pack.Name} {pack.Version}";
        if (today < pack.ValidFrom)
            yield return new DraftFault("", $"{Capital(rules)} is valid from {pack.ValidFrom:yyyy-MM-dd}.");
        if (today > pack.ReviewBy)
            yield return new DraftFault("", $"{Capital(rules)} was to be reviewed by {pack.ReviewBy:yyyy-MM-dd}. Nothing runs under it until a reviewed one is in place.");
        foreach (PolicyDocument document in pack.Documents.Where(d => today > d.ReviewBy))
            yield return new DraftFault("", $"{Capital(rules)} needs \"{document.Title}\" {document.Version} ({document.Kind}), which was to be reviewed by {document.ReviewBy:yyyy-MM-dd}.");
        foreach (DraftFault fault in Where(pack, rules, authority))
            yield return fault;
        if (pack.LongestHours is { } hours && authority.End - authority.Start > TimeSpan.FromHours(hours))
            yield return new DraftFault(nameof(AuthorityDraft.End), FormattableString.Invariant($"{Capital(rules)} allows at most {hours:0.##} hours."));
        if (authority.Watchlist.People > pack.MostPeople)
            yield return new DraftFault(nameof(AuthorityDraft.WatchlistId), $"{new Counted(authority.Watchlist.People):#,0 person is|people are} on the watchlist; {rules} allows {pack.MostPeople:#,0}.");
        foreach (AuthorisedCategory category in authority.Categories)
        {
            foreach (string fault in OfCategory(pack, rules, category, people))
                yield return new DraftFault(category.Category.Name(), $"{category.Category.Name()}: {fault}");
        }
        if (pack.Signing is { } signing)
        {
            if (signing.AccountablePerson && string.IsNullOrEmpty(authority.AccountablePerson))
                yield return new DraftFault(nameof(AuthorityDraft.AccountablePerson), $"{Capital(rules)} demands a senior accountable person. Name one.");
            if (!HasRank(authority.AuthorisingOfficer, signing.Ranks))
                yield return new DraftFault(nameof(AuthorityDraft.AuthorisingOfficer), WrongRank(authority.AuthorisingOfficer, signing.Ranks));
            if (authority.SecondOfficer is { } second && (signing.SecondRanks.Count > 0 ? signing.SecondRanks : signing.Ranks) is var ranks && !HasRank(second, ranks))
                yield return new DraftFault(nameof(AuthorityDraft.SecondOfficer), WrongRank(second, ranks));
        }

        string WrongRank(NamedOfficer officer, IReadOnlyList<string> ranks) =>
            $"{officer.Name} {(officer.Rank is { } rank ? $"is {rank}" : "has no recorded rank")}; {rules} lets these ranks sign: {string.Join(", ", ranks)}.";
    }

    /// <summary>Every demand that evidence does not meet.</summary>
    /// <param name="fileName">Of the evidence.</param>
    /// <param name="evidence">Trusted.</param>
    /// <param name="point">Measured at the threshold.</param>
    /// <param name="demands">Of the policy, or of the authority.</param>
    /// <param name="day">Of the deployment.</param>
    public static IEnumerable<string> UnmetDemands(string fileName, EvidenceDocument evidence, OperatingPoint point, EvidenceRules demands, DateOnly day)
    {
        DateOnly made = DateOnly.FromDateTime(evidence.MadeAt.UtcDateTime);
        if (demands.Since is { } since && made < since)
            yield return $"The evidence {fileName} was measured on {made:yyyy-MM-dd}; only evidence since {since:yyyy-MM-dd} counts.";
        if (demands.MostDays is { } most && day.DayNumber - made.DayNumber > most)
            yield return $"The evidence {fileName} was measured on {made:yyyy-MM-dd}, {new Counted(day.DayNumber - made.DayNumber):day|days} before the deployment; at most {most} are allowed.";
        if (demands.Protocols.Count > 0 && !demands.Protocols.Contains(evidence.Protocol))
            yield return $"The evidence {fileName} was measured by the protocol {evidence.Protocol}; only {string.Join(", ", demands.Protocols)} counts.";
        foreach (string unmet in GroupGate.Unmet(fileName, point, demands.Groups))
            yield return unmet;
    }

    private static IEnumerable<DraftFault> Where(PolicyPack pack, string rules, Authority authority)
    {
        if (pack.Where is not { } where)
            yield break;
        if (authority.Ground is null || where.Grounds.GetValueOrDefault(authority.Ground.Id) != authority.Ground.Words)
            yield return new DraftFault(nameof(AuthorityDraft.Ground), $"{Capital(rules)} demands a ground for the place: {string.Join(", ", where.Grounds.Keys)}.");
        if (!DeploymentArea.TryParse(authority.Area, out DeploymentArea? area))
        {
            if (where.AreaRequired)
                yield return new DraftFault(nameof(AuthorityDraft.Area), $"{Capital(rules)} demands the area on the map.");
        }
        else if (where.LargestSquareKilometres is { } largest && area!.SquareMetres > largest * 1e6)
        {
            yield return new DraftFault(nameof(AuthorityDraft.Area), FormattableString.Invariant($"The area has {area.SquareMetres / 1e6:0.###} square kilometres; {rules} allows {largest:0.###}."));
        }
    }

    private static IEnumerable<string> OfCategory(PolicyPack pack, string rules, AuthorisedCategory category, IReadOnlyDictionary<WatchlistCategory, int> people)
    {
        if (pack.Categories.GetValueOrDefault(category.Category.Name()) is not { } own)
        {
            yield return $"{rules} does not allow this category.";
            yield break;
        }
        if (category.Threshold < own.LeastThreshold)
            yield return FormattableString.Invariant($"the threshold is {category.Threshold:0.####}; {rules} demands at least {own.LeastThreshold:0.####}.");
        if (people.GetValueOrDefault(category.Category) is var count && count > own.MostPeople)
            yield return $"{new Counted(count):#,0 person is|people are} on the watchlist; {rules} allows {own.MostPeople:#,0}.";
        if (own.Response is { } response && !category.Response.Contains(response.Trim(), StringComparison.Ordinal))
            yield return $"the response must contain the words of {rules}: \"{response.Trim()}\"";
    }

    private static bool HasRank(NamedOfficer officer, IReadOnlyList<string> ranks) => ranks.Count == 0 || ranks.Contains(officer.Rank, StringComparer.OrdinalIgnoreCase);

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
