using LfrEngine.Evaluation.Torch;
using LfrEngine.Evaluation.Verification;
using LfrEngine.Lab.Output;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab verify DATA</c>: one-to-one comparison of a pair list, or of all images against all.</summary>
internal static class VerifyCommand
{
    private const int TopShown = 100;

    private static readonly Dictionary<string, Func<IPairScorer>> Engines = new() { ["simd"] = () => new SimdPairScorer(), ["torch"] = () => new TorchPairScorer() };
    private static readonly double[] WantedRates = [1e-3, 1e-4, 1e-5, 1e-6];

    public static Command Create()
    {
        var data = new Argument<string>("DATA") { Description = "Folder with one sub-folder of images per person, or a CSV (file, subject, session, any group columns), for all against all; or a pair list in the format of LFW's pairs.txt." };
        var images = new Option<DirectoryInfo?>("--images") { Description = "For a pair list: folder of NAME/NAME_0001.jpg; default: images/ next to the list." };
        var engine = new Option<string[]>("--engine") { Description = "What computes all against all: simd, torch, or both to compare their speed and check that they count the same.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => ["simd"] }.OneOf([.. Engines.Keys]);
        var threshold = new Option<double?>("--threshold") { Description = "Threshold to report on; default: the embedder's." }.Above(-1, 1);
        var options = new LabOptions();
        var command = new Command("verify", "One-to-one error rates: FMR, FNMR, DET, thresholds, differentials.") { data, images, engine, threshold };
        options.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            string path = Path.GetFullPath(parsed.GetRequiredValue(data));
            bool isList = File.Exists(path) && !path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase);
            using LabRun run = options.Start(parsed, "verify", isList ? "Verification over a pair list" : "Verification, all against all");
            double at = LabOptions.Threshold(parsed.GetValue(threshold), run);
            if (isList)
                RunPairs(parsed, options, run, path, parsed.GetValue(images)?.FullName, at, stopping);
            else
                RunAll(parsed, options, run, FaceDataSet.Read(path, options.Excluded(parsed)), at, parsed.GetRequiredValue(engine), stopping);
            return Task.FromResult(run.Finish());
        });
        return command;
    }

    private static void RunPairs(ParseResult parsed, LabOptions options, LabRun run, string list, string? folder, double threshold, CancellationToken stopping)
    {
        folder ??= Path.Combine(Path.GetDirectoryName(list)!, "images");
        if (!Directory.Exists(folder))
            throw new CommandFailure(ExitCode.Input, $"The image folder {folder} does not exist; give it with --images.");
        IReadOnlyList<ImagePair> pairs = LfwPairs.Read(list);
        FaceDataSet data = LfwPairs.Images(pairs, folder);
        using TemplateSet templates = options.Extract(parsed, run, data, "failure to acquire", stopping);
        float[] scores = LfwPairs.Compare(pairs, data, templates);
        VerificationResult result = VerificationResult.Compute(pairs, scores);
        ScoreHistogram mated = new(), nonMated = new();
        foreach ((int i, ImagePair pair) in pairs.Index())
            (pair.IsMated ? mated : nonMated).Add(scores[i]);
        run.Figures.Add(new ReportFigure("accuracy", "Accuracy, LFW protocol (mean over folds)", result.Accuracy, Note: $"± {NumberText.Of(result.AccuracyDeviation)} over folds"));
        run.Figures.Add(new ReportFigure("tmrAtFmr1e-3", "TMR where FMR is 10⁻³", result.TmrAtFmr001, Note: $"threshold {NumberText.Of(result.ThresholdAtFmr001)}, set on these pairs"));
        run.Figures.Add(new ReportFigure("eer", "Equal error rate", DetCurve.EqualErrorRate(nonMated, mated)));
        SubjectCount[] misses = [.. pairs.Index().Where(p => p.Item.IsMated).GroupBy(p => Path.GetDirectoryName(p.Item.First)).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new SubjectCount(g.Count(p => scores[p.Index] < (float)threshold), g.Count()))];
        Proportion fmr = nonMated.AtLeast(threshold);
        string at = threshold.ToString("0.####", CultureInfo.InvariantCulture);
        run.Figures.Add(ReportFigure.Of("fmr", $"FMR at {at}", MeasuredRate.Of(fmr), Firmness(fmr)));
        run.Figures.Add(ReportFigure.Of("fnmr", $"FNMR at {at}, failures to acquire included", new MeasuredRate(mated.Below(threshold), Bootstrap.BySubject(misses, run.Seed))));
        run.Tables.Add(new ReportTable(CompareCommand.Attempts, "Every comparison, for lfr-lab compare", CompareCommand.Columns,
            [.. pairs.Index().Select(p => (IReadOnlyList<ReportCell>)[p.Item.First, p.Item.Second, p.Item.IsMated ? 1L : 0L, (double)scores[p.Index]])]));
        Sections.AddDet(run.Curves, "FMR", "FNMR", [("all pairs", nonMated, mated)]);
    }

    private static void RunAll(ParseResult parsed, LabOptions options, LabRun run, FaceDataSet data, double threshold, string[] engines, CancellationToken stopping)
    {
        using TemplateSet templates = options.Extract(parsed, run, data, "failure to acquire", stopping);
        int[] subjects = data.SubjectNumbers();
        // Thresholds are set on one half of the people. Rates and groups are reported on the other.
        int[] half = [.. data.Samples.Select(s => FaceDataSet.HalfOf(s.Subject))];
        var groupings = new List<Grouping> { new("half", ["set", "reported"], half) };
        for (int column = 0; column < data.GroupColumns.Count; column++)
        {
            IReadOnlyList<string> values = data.GroupValues(column);
            int c = column;
            groupings.Add(new Grouping(data.GroupColumns[column], values, [.. data.Samples.Select((s, i) => half[i] == 1 ? IndexOf(values, s.Groups[c]) : -1)]));
        }
        AllPairs? first = null;
        foreach (string engine in engines.Distinct())
        {
            using IPairScorer scorer = Engines[engine]();
            AllPairs next = ProgressBar.While($"Comparing ({engine})", 1000, report =>
                AllPairs.Count(templates, subjects, groupings, scorer, (done, tiles) => report((int)(1000 * done / tiles)), stopping));
            run.Figures.Add(new ReportFigure($"comparisonsPerSecond.{engine}", $"Comparisons per second, {engine} on {scorer.Device}", next.Comparisons / next.Elapsed.TotalSeconds,
                Note: $"{NumberText.Of(next.Elapsed.TotalSeconds)} s"));
            first ??= next;
            if (!next.All.SameAs(first.All))
                throw new CommandFailure(ExitCode.Internal, $"The engine {engine} gives a different count from {engines[0]}. Report this with the output of `lfr doctor --json`.");
        }
        AllPairs counted = first!;
        PairCounts set = counted.Groups[0][0], reported = counted.Groups[0][1];
        AllPairs.ThrowIfTooFew(set, reported);
        run.Figures.Add(new ReportFigure("comparisons", "Comparisons", counted.Comparisons));
        run.Figures.Add(new ReportFigure("peakMemoryMiB", "Peak memory, MiB", ProcessMemory.Peak() >> 20));
        run.Figures.Add(new ReportFigure("eer", "Equal error rate, all pairs", DetCurve.EqualErrorRate(counted.All.NonMated, counted.All.Mated)));
        string at = threshold.ToString("0.####", CultureInfo.InvariantCulture);
        (MeasuredRate fmrAt, MeasuredRate fnmrAt) = Rates(threshold);
        run.Figures.Add(ReportFigure.Of("fmr", $"FMR at {at}, reported half of the people", fmrAt, Firmness(fmrAt.Counts)));
        run.Figures.Add(ReportFigure.Of("fnmr", $"FNMR at {at}, reported half of the people", fnmrAt));

        var rows = new List<IReadOnlyList<ReportCell>>();
        foreach (double wanted in WantedRates)
        {
            ThresholdChoice choice = ThresholdChoice.For(set.NonMated, wanted);
            if (choice.Threshold is not { } t)
            {
                rows.Add([wanted, "refused", (double?)null, (double?)null, (double?)null, (double?)null, (double?)null, (double?)null, (double?)null, choice.Refusal]);
                continue;
            }
            (MeasuredRate fmr, MeasuredRate fnmr) = Rates(t);
            rows.Add([wanted, t, choice.Observed.Rate, fmr.Counts.Rate, fmr.Interval.Low, fmr.Interval.High, fnmr.Counts.Rate, fnmr.Interval.Low, fnmr.Interval.High, Firmness(fmr.Counts)]);
        }
        run.Tables.Add(new ReportTable("thresholds", "Thresholds set on one half of the people, reported on the other",
            ["wanted FMR", "threshold", "FMR where set", "FMR", "low", "high", "FNMR", "low", "high", "note"], rows));
        for (int g = 1; g < groupings.Count; g++)
        {
            PairCounts[] groups = counted.Groups[g];
            int grouping = g;
            Sections.AddDifferentials(run, groupings[g].Name, "FMR", "FNMR", threshold, [.. groups.Select((c, v) => new GroupCell(groupings[grouping].Values[v], c.NonMated.AtLeast(threshold), c.Mated.Below(threshold),
                FalseMatchInterval(threshold, i => groupings[grouping].GroupOf[i] == v), FalseNonMatchInterval(threshold, i => groupings[grouping].GroupOf[i] == v)))]);
        }
        run.Tables.Add(new ReportTable("top", "Highest non-mated scores: look-alikes, or label errors", ["first", "second", "score"],
            [.. counted.Top.Take(TopShown).Select(p => (IReadOnlyList<ReportCell>)[data.Samples[p.First].Name, data.Samples[p.Second].Name, (double)p.Score])]));
        run.Tables.Add(new ReportTable("histogram", "Scores of all pairs in bins of 10⁻⁴ (empty bins left out)", ["from", "mated", "non-mated"],
            [.. Enumerable.Range(0, ScoreHistogram.BinCount).Where(b => counted.All.Mated[b] + counted.All.NonMated[b] > 0)
                .Select(b => (IReadOnlyList<ReportCell>)[ScoreHistogram.EdgeOf(b), counted.All.Mated[b], counted.All.NonMated[b]])]));
        Sections.AddDet(run.Curves, "FMR", "FNMR", [("all pairs", counted.All.NonMated, counted.All.Mated)]);

        (MeasuredRate Fmr, MeasuredRate Fnmr) Rates(double t) => (
            new(reported.NonMated.AtLeast(t), FalseMatchInterval(t, i => half[i] == 1) ?? reported.NonMated.AtLeast(t).ClopperPearson()),
            new(reported.Mated.Below(t), FalseNonMatchInterval(t, i => half[i] == 1) ?? reported.Mated.Below(t).ClopperPearson()));

        // Null if there are more errors than are kept; then Clopper–Pearson is accurate enough.
        Interval? FalseMatchInterval(double t, Func<int, bool> takesPart) => counted.FalseMatches(t, subjects, takesPart) is { } errors
            ? Bootstrap.BySubjectPair(Counts(data, subjects, i => takesPart(i) && templates.IsAcquired(i)), errors, run.Seed)
            : null;

        Interval? FalseNonMatchInterval(double t, Func<int, bool> takesPart) => counted.Mated is { } pairs
            ? Bootstrap.BySubject([.. pairs.Where(p => takesPart(p.First) && takesPart(p.Second)).GroupBy(p => subjects[p.First]).OrderBy(g => g.Key)
                .Select(g => new SubjectCount(g.Count(p => p.Score < (float)t), g.Count()))], run.Seed)
            : null;
    }

    private static string? Firmness(Proportion errors) => errors.IsFirm ? null : "fewer than 30 errors: not known to ±30 %";

    private static int IndexOf(IReadOnlyList<string> values, string value)
    {
        for (int i = 0; i < values.Count; i++)
        {
            if (values[i] == value)
                return i;
        }
        return -1;
    }

    private static int[] Counts(FaceDataSet data, int[] subjects, Func<int, bool> takesPart)
    {
        var counts = new int[data.Subjects.Count];
        for (int i = 0; i < subjects.Length; i++)
            counts[subjects[i]] += takesPart(i) ? 1 : 0;
        return [.. counts];
    }
}
