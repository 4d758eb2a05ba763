namespace LfrEngine.Evaluation.Statistics;

/// <summary>One passage of a role-player whose groups are known.</summary>
/// <param name="Person">Who; passages of one person resemble each other.</param>
/// <param name="Groups">Value by column.</param>
/// <param name="Found">Whether it raised an alert.</param>
/// <param name="Seconds">From the start of the passage to its first alert; null without one.</param>
/// <param name="Score">Highest score of its alerts; null without one.</param>
/// <param name="NothingCompared">Whether no face at all was good enough to be compared meanwhile; null if nobody knows.</param>
public sealed record TrialPassage(Guid Person, IReadOnlyDictionary<string, string> Groups, bool Found, double? Seconds, double? Score, bool? NothingCompared);

/// <summary>One group against all others of its column.</summary>
/// <param name="Column">Name of the column, such as sex.</param>
/// <param name="Group">Value in that column.</param>
/// <param name="Found">Passages found.</param>
/// <param name="People">Who passed.</param>
/// <param name="Probability">Fisher's exact test against the others of the column, two-sided, after Holm's correction; null with one group only.</param>
/// <param name="SmallestDifference">The smallest difference of the rate that so many passages show with 80 % power at the corrected level; null if not even the largest would show.</param>
/// <param name="MedianSeconds">From the start of the passage to the alert, of those found.</param>
/// <param name="NinetiethSeconds">The time within which 90 % of those found had raised it.</param>
/// <param name="NothingCompared">Passages during which no face was good enough to be compared, of those for which it is known: the failures to acquire that are certain.</param>
/// <param name="Shift">Scores of those found against the others' of the column; null without scores on both sides.</param>
public sealed record GroupOutcome(
    string Column, string Group, Proportion Found, int People, double? Probability, double? SmallestDifference, double? MedianSeconds, double? NinetiethSeconds, Proportion NothingCompared, ScoreShift? Shift)
{
    /// <summary>Exact, 95 %.</summary>
    public Interval Interval => Found.ClopperPearson();

    /// <summary>Whether the rate differs from the others', at 5 % for the whole column.</summary>
    public bool Differs => Probability <= GroupTrial.Significance;
}

/// <summary>Compares groups of role-players (ISO/IEC 19795-10: recognition rate, processing time, failure to acquire and score shift, each with its uncertainty).</summary>
/// <remarks>Each column is a question of its own, asked at 5 %: with two groups it is one test, with more, one per group against all others. Passages are taken as independent.</remarks>
public static class GroupTrial
{
    /// <summary>Two-sided, for a whole column.</summary>
    public const double Significance = 0.05;

    /// <summary>Usual power.</summary>
    public const double Power = 0.8;

    private const int MostPassages = 100_000;

    /// <summary>Compares the groups of every column, the usual columns first.</summary>
    public static IReadOnlyList<GroupOutcome> Compare(IReadOnlyCollection<TrialPassage> passages) =>
        [.. passages.SelectMany(p => p.Groups.Keys).Distinct().OrderBy(Place).ThenBy(c => c, StringComparer.Ordinal).SelectMany(c => Compare(passages, c))];

    /// <summary>How many passages each of several groups of equal size needs, so that a difference of one from the others is found.</summary>
    /// <param name="rate">Rate expected of the others.</param>
    /// <param name="difference">By how much lower the rate of one is.</param>
    /// <param name="power">Probability wanted of finding it.</param>
    /// <param name="groups">Two or more.</param>
    /// <returns>Null if more than 100,000.</returns>
    public static int? PassagesPerGroup(double rate, double difference, double power = Power, int groups = 2)
    {
        if (!(rate is > 0 and <= 1 && difference > 0 && difference <= rate && power is > 0 and < 1 && groups is >= 2 and <= 20))
            throw new ArgumentOutOfRangeException(nameof(difference), "The rate is above 0 and at most 1, the difference above 0 and at most the rate, the power between 0 and 1, and there are 2 to 20 groups.");
        double level = Level(groups);
        if (PowerOf(MostPassages) < power)
            return null;
        // The power rises with the number, but for small steps down of the exact test: the approximate number is near, and the first that suffices is taken.
        int low = 1, high = MostPassages;
        while (high - low > 1)
        {
            int middle = (low + high) / 2;
            (low, high) = PowerOf(middle) < power ? (middle, high) : (low, middle);
        }
        for (int n = Math.Max(2, high * 7 / 10); n < high; n++)
        {
            if (PowerOf(n) >= power)
                return n;
        }
        return high;

        double PowerOf(int n) => new TwoRates(n, (groups - 1) * n, level).Power(rate - difference, rate);
    }

    private static IEnumerable<GroupOutcome> Compare(IReadOnlyCollection<TrialPassage> passages, string column)
    {
        ILookup<string, TrialPassage> byGroup = passages.Where(p => p.Groups.ContainsKey(column)).ToLookup(p => p.Groups[column]);
        string[] groups = [.. byGroup.Select(g => g.Key).OrderBy(g => Data.PersonGroups.ValuesOf(column) is { Count: > 0 } values ? values.ToList().IndexOf(g) : 0).ThenBy(g => g, StringComparer.Ordinal)];
        TrialPassage[][] others = [.. groups.Select(g => byGroup.Where(o => o.Key != g).SelectMany(o => o).ToArray())];
        double[] probabilities = [.. groups.Select((g, i) => RateTests.FisherExact(FoundOf(byGroup[g]), FoundOf(others[i])))];
        // Two groups are one test, asked from both sides.
        double[] corrected = groups.Length == 2 ? probabilities : RateTests.Holm(probabilities);
        return groups.Select((g, i) =>
        {
            TrialPassage[] own = [.. byGroup[g]];
            double[] seconds = [.. own.Select(p => p.Seconds).OfType<double>().Order()];
            return new GroupOutcome(column, g, FoundOf(own), own.Select(p => p.Person).Distinct().Count(),
                groups.Length > 1 ? corrected[i] : null,
                groups.Length > 1 ? new TwoRates(own.Length, others[i].Length, Level(groups.Length)).SmallestDifference(FoundOf(others[i]).Rate, Power) : null,
                seconds.Length > 0 ? Percentile.Of(seconds, 0.5) : null, seconds.Length > 0 ? Percentile.Of(seconds, 0.9) : null,
                new Proportion(own.Count(p => p.NothingCompared == true), own.Count(p => p.NothingCompared is not null)),
                ScoreShift.Between([.. own.Select(p => p.Score).OfType<double>()], [.. others[i].Select(p => p.Score).OfType<double>()]));
        });
    }

    private static Proportion FoundOf(IEnumerable<TrialPassage> passages) => new(passages.Count(p => p.Found), passages.Count());

    private static double Level(int groups) => Significance / (groups == 2 ? 1 : groups);

    private static int Place(string column) => Data.PersonGroups.Usual.ToList().IndexOf(column) is >= 0 and var place ? place : int.MaxValue;
}
