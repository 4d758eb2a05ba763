using LfrEngine.Cover;
using LfrEngine.Evaluation.Calibration;
using LfrEngine.Evaluation.Cover;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Lab.Output;
using LfrEngine.Matching;
using LfrEngine.Pipeline;
using LfrEngine.Watchlists;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab calibrate DATA</c>: likelihood ratios of scores, fitted on one half of the people and measured on the other.</summary>
internal static class CalibrateCommand
{
    private const int Fitted = 0, Measured = 1;

    // More images per person give more mated searches with medium scores, which are rare and decide the ratio of such a score.
    private const int MostProbes = 5;

    // Bins with fewer people are not reported.
    private const int EnoughPeople = 10;

    // Covers and two sizes; in the names the unchanged face comes first.
    private static readonly string[] Sizes = ["24 pixels between the eyes", "12 pixels between the eyes"];
    private static readonly Stratum[] Strata = [.. Stratum.All.Skip(1).Where(s => s.Kind == "cover" || Sizes.Contains(s.Name))];
    private static readonly string[] StratumNames = [Stratum.All[0].Name, .. Strata.Select(s => s.Name)];

    public static Command Create()
    {
        var data = new Argument<string>("DATA") { Description = "Folder with one sub-folder of images per person, or a CSV (file, subject, …)." };
        var sizes = new Option<int[]>("--gallery") { Description = "Sizes of the lists searched; those that leave no strangers are left out.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [1, 3, 10, 30, 100, 300, 1000] }.From(1);
        var covered = new Option<int>("--covered") { Description = "People of each half whose faces are also searched covered and reduced in size.", DefaultValueFactory = _ => 200 }.From(0);
        var evidence = new Option<FileInfo?>("--evidence") { Description = "Write a signed evidence file with the calibration: officers see likelihood ratios from it." };
        var options = new LabOptions();
        var command = new Command("calibrate", "Turn scores into likelihood ratios by cover, quality and size of the list.") { data, sizes, covered, evidence };
        options.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            int[] lists = [.. parsed.GetRequiredValue(sizes).Distinct().Order()];
            using LabRun run = options.Start(parsed, "calibrate", "Calibration of scores", (parsed.GetValue(evidence), "--evidence"));
            FaceDataSet set = FirstFew(FaceDataSet.Read(Path.GetFullPath(parsed.GetRequiredValue(data)), options.Excluded(parsed)));
            using TemplateSet plain = options.Extract(parsed, run, set, "failure to acquire or enrol", stopping);
            using TemplateSet searched = options.ExtractProbes(parsed, run, set, plain, stopping);
            PersonImages[] people = PeopleOf(set, plain);
            PersonImages[] chosen = [.. new[] { Fitted, Measured }.SelectMany(h => Drawn(run, people.Where(p => p.Half == h), parsed.GetValue(covered)))];
            using TemplateSet harder = options.ExtractStrata(parsed, run, [.. chosen.Select(p => set.Samples[p.Probe])], Strata, isCoverKnown: false, stopping);
            ListSearch[][] searches = [.. new[] { Fitted, Measured }.Select(h => Search(run, set, plain, searched, harder, [.. people.Where(p => p.Half == h)], chosen, lists, stopping))];
            ScoreCalibration fit = Fit(searches[Fitted]);
            ScoreCalibration calibration = Report(run, fit, searches[Measured], people.Length);
            AddPairs(run, calibration, plain, [.. people.Where(p => p.Half == Measured)]);
            if (parsed.GetValue(evidence) is { } file)
                IdentifyCommand.WriteEvidence(run, "calibrate", [.. Points(run, searches[Measured])], file.FullName, calibration);
            return Task.FromResult(run.Finish());
        });
        return command;
    }

    private static FaceDataSet FirstFew(FaceDataSet set) => new([.. set.Samples.GroupBy(s => s.Subject).SelectMany(person => person.Take(1 + MostProbes))], set.GroupColumns);

    /// <summary>A person with the image to enrol and the images to search with; these are others if there are any.</summary>
    private sealed record PersonImages(int Number, int Half, int Reference, int[] Probes)
    {
        /// <summary>The image used for searches as a stranger and with covers.</summary>
        public int Probe => Probes[0];
    }

    private static PersonImages[] PeopleOf(FaceDataSet set, TemplateSet templates)
    {
        int[] subjects = set.SubjectNumbers();
        return [.. Enumerable.Range(0, subjects.Length).Where(templates.IsAcquired).GroupBy(i => subjects[i])
            .Select(g => new PersonImages(g.Key, FaceDataSet.HalfOf(set.Subjects[g.Key]), g.First(), g.Count() > 1 ? [.. g.Skip(1)] : [g.First()]))];
    }

    private static PersonImages[] Drawn(LabRun run, IEnumerable<PersonImages> people, int count)
    {
        // People with two images first, because only they can be found.
        PersonImages[] order = [.. people];
        SeededRandom.For(run.Seed, "covered").Shuffle<PersonImages>(order);
        return [.. order.OrderBy(p => p.Probe == p.Reference).Take(count)];
    }

    private static ListSearch[] Search(LabRun run, FaceDataSet set, TemplateSet plain, TemplateSet searched, TemplateSet harder, PersonImages[] people, PersonImages[] chosen, int[] sizes, CancellationToken stopping)
    {
        if (people.Length == 0)
            return [];
        using Watchlist everybody = CoverCommand.List(run, set, plain, [.. people.Select(p => p.Reference)], stopping);
        var probes = people.SelectMany((p, place) => p.Probes.Select(image => new Probe(searched, image, place, p.Number, 0, image == p.Reference))).ToList();
        for (int i = 0; i < chosen.Length; i++)
        {
            int place = Array.IndexOf(people, chosen[i]);
            for (int s = 0; s < Strata.Length && place >= 0; s++)
            {
                if (harder.IsAcquired((i * Strata.Length) + s))
                    probes.Add(new Probe(harder, (i * Strata.Length) + s, place, chosen[i].Number, s + 1, chosen[i].Probe == chosen[i].Reference));
            }
        }
        var lists = new ListSearches(everybody, run.Models.Embedder.Manifest.CoverScales, probes, run.Seed);
        return [.. ProgressBar.While("Searching", sizes.Sum(lists.CountOf), report => lists.Run(sizes, report, stopping))];
    }

    private static ScoreCalibration Fit(ListSearch[] searches) => searches.Any(s => s is { IsMated: true, Rank: 1 } && s.Cover.Parts == FaceCover.None) && searches.Any(s => !s.IsMated)
        ? CalibrationFitter.Fit(searches)
        : throw new CommandFailure(ExitCode.Input, "Too few people: the half used for fitting needs several people, some of them with two or more images. Use more people.");

    // Reports the calibration on people it was not fitted on, and returns it with the measures for the evidence.
    private static ScoreCalibration Report(LabRun run, ScoreCalibration fit, ListSearch[] searches, int subjects)
    {
        (ListSearch Search, JudgedRatio Ratio)[] judged = [.. searches.Zip(CalibrationFitter.Judge(fit, searches)).Where(j => j.Second is not null).Select(j => (j.First, j.Second!.Value))];
        FaceCover[] covers = [.. fit.Covers.Select(c => c.Cover)];
        var measures = new List<CalibrationMeasure>();
        var rows = new List<IReadOnlyList<ReportCell>>();
        Add("all", "all", null, _ => true);
        for (int s = 0; s < StratumNames.Length; s++)
        {
            int stratum = s;
            Add(StratumNames[s], StratumNames[s], null, x => x.Stratum == stratum);
        }
        foreach (FaceCover cover in covers)
            Add($"judged {Words(cover)}", $"judged {Words(cover)}", null, x => x.Cover.Parts == cover);
        foreach (int size in searches.Select(s => s.ListSize).Distinct().Order())
            Add($"list of {size}", "all", size, x => x.ListSize == size);
        run.Tables.Add(new ReportTable("cost", "Cost of the log likelihood ratios on the half of the people not used for fitting, bits: 0 is perfect, 1 is worthless",
            ["searches", "Cllr", "low", "high", "Cllr-min", "low", "high", "calibration loss", "low", "high", "mated", "non-mated", "mate not first", "nothing said"], rows));
        run.Tables.Add(new ReportTable("faces", "What the engine measured of the faces, medians", ["stratum", "faces", "judged covered", "nothing said", "pixels between the eyes", "quality"],
            [.. searches.Where(s => !s.IsMated).GroupBy(s => s.Stratum).Select(g => g.DistinctBy(s => s.Subject).ToArray()).OrderBy(g => g[0].Stratum).Select(faces => (IReadOnlyList<ReportCell>)
            [StratumNames[faces[0].Stratum], faces.Length, faces.Count(f => f.Cover.Parts != FaceCover.None), faces.Count(f => !covers.Contains(f.Cover.Parts)), Median(faces.Select(f => f.Quality.InterEyePixels)), Median(faces.Select(f => f.Quality.Score))])]));
        run.Tables.Add(new ReportTable("terms", "Terms of the log likelihood ratio (natural logarithm)", ["judged", "factors", "weight"],
            [.. fit.Covers.SelectMany(c => c.Terms.Select(t => (IReadOnlyList<ReportCell>)[Words(c.Cover), t.Factors.Count == 0 ? "constant" : string.Join(" × ", t.Factors), t.Weight]))]));
        run.Tables.Add(new ReportTable("bounds", "Limits of what the data support, log10 likelihood ratio on a list of one", ["judged", "people", "smallest", "largest"],
            [.. fit.Covers.Select(c => (IReadOnlyList<ReportCell>)[Words(c.Cover), c.People, c.Lowest / Math.Log(10), c.Highest / Math.Log(10)])]));
        CoverCalibration uncovered = fit.Covers.Single(c => c.Cover == FaceCover.None);
        run.Figures.Add(new ReportFigure("highest", "Largest log10 likelihood ratio that the data support, uncovered, on a list of one", uncovered.Highest / Math.Log(10)));
        run.Figures.Add(new ReportFigure("lowest", "Smallest, likewise", uncovered.Lowest / Math.Log(10)));
        (string Name, Func<ListSearch, bool> TakesPart)[] seen = [("as photographed", s => s.Stratum == 0), .. covers.Select(c => ($"judged {Words(c)}", (Func<ListSearch, bool>)(s => s.Cover.Parts == c)))];
        run.Tables.Add(new ReportTable("stated", $"Stated and observed likelihood ratios by what the engine judged; bins with at least {EnoughPeople} people of each kind",
            ["faces", "ratio stated", "observed", "low", "high", "stated / observed", "mated people", "non-mated people"],
            [.. seen.SelectMany(g => Reliability.Bins([.. judged.Where(j => g.TakesPart(j.Search)).Select(j => j.Ratio)], subjects, run.Seed).Where(b => b.Mated >= EnoughPeople && b.NonMated >= EnoughPeople).Select(b => (IReadOnlyList<ReportCell>)
            [g.Name, Math.Pow(10, b.Stated), Math.Pow(10, b.Observed), Math.Pow(10, b.Low), Math.Pow(10, b.High), Math.Pow(10, b.Stated - b.Observed), b.Mated, b.NonMated]))]));
        AddReliability(run, "reliability-cover", "by what the engine judged", seen, judged, subjects);
        AddReliability(run, "reliability-stratum", "by cover and size of the face", [.. StratumNames.Select((n, i) => (n, (Func<ListSearch, bool>)(s => s.Stratum == i)))], judged, subjects);
        AddReliability(run, "reliability-list", "by size of the list", [.. searches.Select(s => s.ListSize).Distinct().Order().Select(n => ($"list of {n}", (Func<ListSearch, bool>)(s => s.ListSize == n)))], judged, subjects);
        AddCrossEntropy(run, [.. judged.Select(j => j.Ratio)]);
        return fit with { Measures = measures };

        void Add(string name, string stratum, int? size, Func<ListSearch, bool> takesPart)
        {
            if (RatioCost.Compute(judged.Where(j => takesPart(j.Search)).Select(j => j.Ratio), subjects, run.Seed) is not { } cost || !double.IsFinite(cost.CllrInterval.Low))
                return;
            long lost = judged.Count(j => !j.Ratio.IsSaid && takesPart(j.Search)), silent = searches.Count(s => takesPart(s) && !covers.Contains(s.Cover.Parts));
            rows.Add([name, cost.Cllr, cost.CllrInterval.Low, cost.CllrInterval.High, cost.CllrMin, cost.CllrMinInterval.Low, cost.CllrMinInterval.High,
                cost.CalibrationLoss, cost.LossInterval.Low, cost.LossInterval.High, cost.Mated, cost.NonMated, lost, silent]);
            measures.Add(new CalibrationMeasure(stratum, size, cost.Mated, cost.NonMated, cost.Cllr, cost.CllrInterval.Low, cost.CllrInterval.High, cost.CllrMin));
            if (name is not "all")
                return;
            run.Figures.Add(new ReportFigure("cllr", "Cllr, bits", cost.Cllr, cost.CllrInterval.Low, cost.CllrInterval.High));
            run.Figures.Add(new ReportFigure("cllrMin", "Cllr-min: the cost due to the scores", cost.CllrMin, cost.CllrMinInterval.Low, cost.CllrMinInterval.High));
            run.Figures.Add(new ReportFigure("calibrationLoss", "Calibration loss", cost.CalibrationLoss, cost.LossInterval.Low, cost.LossInterval.High));
        }
    }

    private static string Words(FaceCover cover) => CoverJudgement.Name(cover) ?? "uncovered";

    private static double? Median(IEnumerable<float> values) => values.Order().ToArray() is { Length: > 0 } sorted ? sorted[sorted.Length / 2] : null;

    private static void AddReliability(LabRun run, string id, string by, (string Name, Func<ListSearch, bool> TakesPart)[] groups, (ListSearch Search, JudgedRatio Ratio)[] judged, int subjects)
    {
        var series = new List<ReportSeries> { new("as stated", [-3, 5], [-3, 5]) };
        foreach ((string name, Func<ListSearch, bool> takesPart) in groups)
            series.Add(Reliability.Of(name, [.. judged.Where(j => takesPart(j.Search)).Select(j => j.Ratio)], subjects, run.Seed));
        run.Curves.Add(new ReportCurve(id, $"Stated and observed likelihood ratios {by}, bands of 95 %", new ReportAxis("log10 likelihood ratio stated"), new ReportAxis("log10 likelihood ratio observed"), series));
    }

    private static void AddCrossEntropy(LabRun run, JudgedRatio[] judged)
    {
        double[] odds = [.. Enumerable.Range(-20, 41).Select(i => i / 4.0)];
        JudgedRatio[] silent = [.. judged.Select(j => j with { Log = 0 })];
        run.Curves.Add(new ReportCurve("ece", "Empirical cross-entropy over the prior: information still missing after the comparison", new ReportAxis("log10 prior odds"), new ReportAxis("bits"),
            [Series("calibrated", judged), Series("no comparison", silent)]));

        ReportSeries Series(string name, JudgedRatio[] ratios) => new(name, odds, [.. odds.Select(o => RatioCost.CrossEntropy(ratios, o * Math.Log(10)))]);
    }

    // Verification of uncovered faces, everybody against everybody: error rates at thresholds on the ratio, which can be compared between models.
    private static void AddPairs(LabRun run, ScoreCalibration calibration, TemplateSet plain, PersonImages[] people)
    {
        people = [.. people.Where(p => plain.Outcomes[p.Probe].Cover.Parts == FaceCover.None)];
        double[] thresholds = [1, 2, 3, 4];
        var nonMated = new SubjectCount[thresholds.Length][];
        var mated = new SubjectCount[thresholds.Length][];
        var logs = new double?[people.Length];
        for (int t = 0; t < thresholds.Length; t++)
            (nonMated[t], mated[t]) = (new SubjectCount[people.Length], new SubjectCount[people.Length]);
        Parallel.For(0, people.Length, p =>
        {
            int probe = people[p].Probe;
            var strangers = new long[thresholds.Length];
            for (int q = 0; q < people.Length; q++)
            {
                if (q == p && people[p].Probe == people[p].Reference)
                    continue;
                double ratio = calibration.Of(ComparisonTraits.Of(plain.Score(probe, people[q].Reference), plain.Outcomes[probe].Quality, plain.Outcomes[probe].Cover, byCoveredTemplates: false, 1))!.Value.Log10;
                if (q == p)
                    logs[p] = ratio;
                for (int t = 0; t < thresholds.Length; t++)
                {
                    if (q == p)
                        mated[t][p] = new SubjectCount(ratio >= thresholds[t] ? 1 : 0, 1);
                    else
                        strangers[t] += ratio >= thresholds[t] ? 1 : 0;
                }
            }
            for (int t = 0; t < thresholds.Length; t++)
                nonMated[t][p] = new SubjectCount(strangers[t], people.Length - 1);
        });
        run.Tables.Add(new ReportTable("pairs", "One against one, uncovered: pairs whose likelihood ratio reaches a threshold; another model's threshold on the ratio should give the same FMR",
            ["ratio at least", "FMR by the ratios", "FMR", "low", "high", "false", "of", "TMR", "low", "high", "found", "of"],
            [.. thresholds.Select((t, i) => (IReadOnlyList<ReportCell>)[Math.Pow(10, t), logs.Where(l => l is not null).Average(l => l >= t ? Math.Pow(10, -l.Value) : 0), .. Cells(nonMated[i]), .. Cells(mated[i])])]));

        ReportCell[] Cells(SubjectCount[] counts)
        {
            MeasuredRate rate = MeasuredRate.BySubject(counts, run.Seed);
            return [rate.Counts.Rate, rate.Interval.Low, rate.Interval.High, rate.Counts.Count, rate.Counts.Total];
        }
    }

    // Rates of the same searches at thresholds, uncovered, so that one evidence file is sufficient for a deployment.
    private static IEnumerable<OperatingPoint> Points(LabRun run, ListSearch[] searches)
    {
        const int rank = PipelineSettings.MaximumCandidates;
        foreach (IGrouping<int, ListSearch> list in searches.Where(s => s.Stratum == 0).GroupBy(s => s.ListSize).OrderBy(g => g.Key))
        {
            foreach (double threshold in IdentifyCommand.EvidenceThresholds)
            {
                int first = ScoreHistogram.BinOfThreshold(threshold);
                yield return OperatingPoint.From(list.Key, threshold, null, Rate(list.Where(s => !s.IsMated)), Rate(list.Where(s => s.IsMated)), []);

                MeasuredRate Rate(IEnumerable<ListSearch> of) => MeasuredRate.BySubject(
                    of.GroupBy(s => s.Subject).Select(g => new SubjectCount(g.Count(s => s.Rank <= rank && ScoreHistogram.BinOf(s.Score) >= first), g.Count())), run.Seed);
            }
        }
    }
}
