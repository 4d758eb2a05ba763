using LfrEngine.Evaluation.Evidence;
using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Records.Policies;

/// <summary>A demand on the rates of the groups in one column of evidence.</summary>
/// <param name="Column">Such as sex or skin_tone, as in the laboratory's data.</param>
/// <param name="LargestTpirRatio">The group that is found most often over the one found least often; null for no demand.</param>
/// <param name="LargestFpirRatio">The group with most false positives over the one with fewest; null for no demand.</param>
public sealed record GroupDemand(string Column, double? LargestTpirRatio = null, double? LargestFpirRatio = null);

/// <summary>Whether evidence shows that groups are treated alike.</summary>
/// <remarks>The upper bound of the ratio's 95 % interval must be within the demand: evidence that is too thin to show it does not meet it.</remarks>
internal static class GroupGate
{
    /// <summary>What is wrong with demands themselves.</summary>
    public static IEnumerable<string> Faults(IReadOnlyList<GroupDemand> demands)
    {
        foreach (GroupDemand demand in demands)
        {
            if (demand.Column.Trim().Length is 0 or > 100 || !Shown.IsPlain(demand.Column) || demands.Count(d => d.Column == demand.Column) > 1)
                yield return $"\"{demand.Column}\" must be the name of a column, once.";
            if (demand.LargestTpirRatio is null && demand.LargestFpirRatio is null)
                yield return $"{demand.Column}: give a largest ratio of TPIR, of FPIR, or both.";
            if (demand.LargestTpirRatio is not (null or > 1 and <= 1000) || demand.LargestFpirRatio is not (null or > 1 and <= 1000))
                yield return $"{demand.Column}: a largest ratio must be more than 1, up to 1000.";
        }
    }

    /// <summary>Every demand that evidence does not meet, with the cells that fail.</summary>
    /// <param name="fileName">Of the evidence, for the message.</param>
    /// <param name="point">Measured at the threshold.</param>
    /// <param name="demands">Without faults.</param>
    public static IEnumerable<string> Unmet(string fileName, OperatingPoint point, IReadOnlyList<GroupDemand> demands)
    {
        foreach (GroupDemand demand in demands)
        {
            GroupRates[] groups = [.. point.Groups.Where(g => g.Column == demand.Column)];
            if (groups.Length < 2)
            {
                yield return $"The evidence {fileName} has no groups by {demand.Column}; the laboratory must measure them.";
                continue;
            }
            if (demand.LargestTpirRatio is { } tpir && Ratio(fileName, point, demand.Column, "TPIR", tpir, [.. groups.Select(g => new Cell(g.Group, g.Tpir, new Interval(g.TpirLow, g.TpirHigh), g.TruePositives, g.Mated))]) is { } missed)
                yield return missed;
            if (demand.LargestFpirRatio is { } fpir && Ratio(fileName, point, demand.Column, "FPIR", fpir, [.. groups.Select(g => new Cell(g.Group, g.Fpir, new Interval(g.FpirLow, g.FpirHigh), g.FalsePositives, g.NonMated))]) is { } uneven)
                yield return uneven;
        }
    }

    private static string? Ratio(string fileName, OperatingPoint point, string column, string measure, double largest, Cell[] cells)
    {
        if (cells.FirstOrDefault(c => c.Rate is null) is { } empty)
            return $"The evidence {fileName} has no attempts of {column} {empty.Group} for {measure}.";
        // The pair that may differ most: not always the two with the extreme rates, since a small group is known less well.
        (Cell Most, Cell Least, Interval Ratio) worst = (from most in cells from least in cells where most != least select (most, least, RateRatio.Of(most.Rate!.Value, most.Interval, least.Rate!.Value, least.Interval))).MaxBy(p => p.Item3.High);
        if (worst.Ratio.High <= largest)
            return null;
        double ratio = worst.Most.Rate!.Value / worst.Least.Rate!.Value;
        return FormattableString.Invariant($"The evidence {fileName} at threshold {point.Threshold:0.####} does not show equal treatment by {column}: {measure} of {worst.Most} over {worst.Least} is {(double.IsFinite(ratio) ? NumberText.Of(ratio) : "unbounded")}, with 95 % confidence at most {(double.IsFinite(worst.Ratio.High) ? NumberText.Of(worst.Ratio.High) : "unknown")}; at most {largest:0.####} is allowed.")
            + (ratio <= largest ? " The rates may be within it, but there are too few attempts to show it." : "");
    }

    private sealed record Cell(string Group, double? Rate, Interval Interval, long Count, long Total)
    {
        public override string ToString() => FormattableString.Invariant($"{Group} ({Count:#,0} of {Total:#,0})");
    }
}
