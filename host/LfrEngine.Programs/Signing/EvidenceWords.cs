using System.Globalization;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Programs;

/// <summary>Explains what evidence means for a threshold, for the laboratory's <c>explain</c> and the authority's page.</summary>
internal static class EvidenceWords
{
    /// <summary>Whether officers see likelihood ratios, and the data behind them.</summary>
    /// <param name="evidence">From <see cref="EvidenceFile.Verify"/>.</param>
    /// <param name="list">People on the list; null if no list is given.</param>
    public static string Calibration(EvidenceDocument evidence, int? list = null)
    {
        if (evidence.CalibrationFor(evidence.EmbedderSha256) is not { } calibration)
            return "Not calibrated: officers see scores without a likelihood ratio (`lfr-lab calibrate` measures one).";
        string rests = FormattableString.Invariant($"on {new Counted(calibration.People):#,0 person|people} and lists of up to {calibration.LargestList:#,0}");
        if (list is { } people && !calibration.Carries(people))
            return FormattableString.Invariant($"Calibrated {rests}: a list of {people:#,0} is too large for this calibration, so officers see scores without a likelihood ratio.");
        return $"Calibrated {rests}: officers see a likelihood ratio with each score."
            + (calibration.Measures.FirstOrDefault(m => m is { Stratum: "all", ListSize: null }) is { } all
                ? FormattableString.Invariant($" On other people it costs {all.Cllr:0.000} bits [{all.CllrLow:0.000}, {all.CllrHigh:0.000}] a search (Cllr: 0 is perfect, 1 is no information), {all.CllrMin:0.000} of which lie in the scores themselves.") : "");
    }

    /// <summary>The lines of the explanation.</summary>
    /// <param name="evidence">From <see cref="EvidenceFile.Verify"/>.</param>
    /// <param name="threshold">Comparison score, inclusive.</param>
    /// <param name="list">People on the list.</param>
    /// <param name="passers">People who pass and are not on it.</param>
    /// <exception cref="CommandFailure">The evidence does not cover the question.</exception>
    public static IReadOnlyList<string> Explain(EvidenceDocument evidence, double threshold, int list, long passers)
    {
        if (evidence.Find(threshold, list) is not { } point)
            throw new CommandFailure(ExitCode.Input, $"The evidence has no measurement at threshold {threshold.ToString(CultureInfo.InvariantCulture)}; it has {string.Join(", ", evidence.Points.Select(p => p.Threshold).Distinct().Order().Select(t => t.ToString(CultureInfo.InvariantCulture)))}.");
        if (EvidenceDocument.Expect(point, list, passers) is not { } expected)
            throw new CommandFailure(ExitCode.Input, $"The evidence was measured with {new Counted(point.GallerySize):person|people} enrolled, which covers lists of up to {new Counted(EvidenceDocument.LargestCovered(point)):#,0 person|people}; yours has {list}. Measure with a larger gallery.");
        string unit = evidence.Protocol == "passages" ? "a person walking past once" : "a search with one still picture";
        var lines = new List<string>
        {
            FormattableString.Invariant($"With {new Counted(list):#,0 person|people} on the list and {new Counted(passers):#,0 passer-by|passers-by} not on it, at a threshold of {threshold:0.####}, expect {Between(expected.Low, expected.High)} false alerts (about {NumberText.Of(expected.Mean)} on average)."),
            FormattableString.Invariant($"Of 100 people on the list who pass, expect {Math.Floor(100 * point.TpirLow)} to {Math.Ceiling(100 * point.TpirHigh)} to be found and the others missed."),
            FormattableString.Invariant($"This is based on {new Counted(point.NonMated):#,0 attempt|attempts} of people who were not enrolled ({point.FalsePositives:#,0} false) and {point.Mated:#,0} of people who were ({point.TruePositives:#,0} found), with {new Counted(point.GallerySize):#,0 person|people} enrolled; one attempt is {unit}."),
        };
        if (point.FalsePositives < Proportion.RuleOfThirty)
            lines.Add(FormattableString.Invariant($"Only {new Counted(point.FalsePositives):false alert|false alerts} occurred in the measurement, so the rate is uncertain."));
        if (expected.HighOfWholeGallery)
            lines.Add("The list is much smaller than the measured gallery. The larger number is that of the whole gallery: a part of it cannot have more false alerts.");
        else if (expected.OtherGallerySize)
            lines.Add("The list differs in size from the measured gallery. The estimate assumes that comparisons with different people are independent.");
        if (evidence.Protocol != "passages")
            lines.Add("In the street the engine compares several moments of a person and requires agreement. Measure passages before relying on this there.");
        foreach (IGrouping<string, GroupRates> column in point.Groups.GroupBy(g => g.Column))
        {
            lines.Add($"By {column.Key}:");
            lines.AddRange(column.Select(group => FormattableString.Invariant($"  {group.Group}: found {Share(group.Tpir, group.TpirLow, group.TpirHigh)} of {group.Mated:#,0}; false {Share(group.Fpir, group.FpirLow, group.FpirHigh)} of {group.NonMated:#,0}")));
        }
        lines.Add(Calibration(evidence, list));
        lines.Add("The numbers hold for people, cameras and light like those measured.");
        return lines;

        static string Between(long low, long high) => low == high ? low.ToString("#,0", CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"between {low:#,0} and {high:#,0}");
        static string Share(double? rate, double low, double high) => rate is { } r ? $"{NumberText.Of(r)} [{NumberText.Of(low)}, {NumberText.Of(high)}]" : "no attempts";
    }
}
