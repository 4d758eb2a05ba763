using LfrEngine.Evaluation.Calibration;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Evaluation.Identification;
using LfrEngine.Lab.Output;
using LfrEngine.Pipeline;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab identify DATA</c>: open-set identification against galleries of given sizes.</summary>
internal static class IdentifyCommand
{
    private const string All = "all";

    // Thresholds in evidence: those that people are likely to enter.
    public static readonly double[] EvidenceThresholds = [.. Enumerable.Range(20, 61).Select(t => t / 100.0)];

    public static Command Create()
    {
        var data = new Argument<string>("DATA") { Description = "Folder with one sub-folder of images per person, or a CSV (file, subject, session, any group columns)." };
        var sizes = new Option<string[]>("--gallery") { Description = $"People enrolled, drawn by seed; \"{All}\" is everybody with two or more images.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => ["100", "500", All] };
        var wanted = new Option<double[]>("--fpir") { Description = "Rates to set thresholds for.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [0.1, 0.01, 0.001] }.Above(0, 1);
        var draws = new Option<int>("--draws") { Description = "Galleries drawn per size.", DefaultValueFactory = _ => 10 }.From(1);
        var threshold = new Option<double?>("--threshold") { Description = "Additional threshold to report; default: the embedder's." }.Above(-1, 1);
        var evidence = new Option<FileInfo?>("--evidence") { Description = "Write a signed evidence file, which the host checks before a deployment starts." };
        var options = new LabOptions();
        var command = new Command("identify", "Open-set identification: FPIR and TPIR over threshold, gallery size and rank.") { data, sizes, wanted, draws, threshold, evidence };
        options.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            int?[] galleries = [.. parsed.GetRequiredValue(sizes).Select(s => s == All ? (int?)null
                : int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n > 0 ? n : throw new CommandFailure(ExitCode.Usage, $"--gallery takes whole numbers, 1 or more, and \"{All}\", not \"{Shown.Name(s)}\"."))];
            using LabRun run = options.Start(parsed, "identify", "Open-set identification", (parsed.GetValue(evidence), "--evidence"));
            double standard = LabOptions.Threshold(parsed.GetValue(threshold), run);
            FaceDataSet set = FaceDataSet.Read(Path.GetFullPath(parsed.GetRequiredValue(data)), options.Excluded(parsed));
            using TemplateSet templates = options.Extract(parsed, run, set, "failure to acquire or enrol", stopping);
            List<OperatingPoint> points = Run(run, set, templates, galleries, parsed.GetRequiredValue(wanted), standard, parsed.GetValue(draws), parsed.GetValue(evidence) is not null, stopping);
            if (parsed.GetValue(evidence) is { } file)
                WriteEvidence(run, "identify", points, file.FullName);
            return Task.FromResult(run.Finish());
        });
        return command;
    }

    /// <summary>Signs the points with this installation's key.</summary>
    public static void WriteEvidence(LabRun run, string protocol, List<OperatingPoint> points, string path, ScoreCalibration? calibration = null)
    {
        // Rates without attempts are not evidence.
        OperatingPoint[] measured = [.. points.Where(p => p is { Mated: > 0, NonMated: > 0 })];
        if (measured.Length == 0)
            throw new CommandFailure(ExitCode.Input, "There is no evidence to write: at no threshold were there both mated and non-mated attempts. Give people who are enrolled and people who are not.");
        var embedder = run.Models.Embedder.Manifest;
        using InstallationKey key = InstallationKey.Open();
        StandardScreen.HasProduct();
        EvidenceFile.Write(path, new EvidenceDocument(EvidenceDocument.CurrentFormat, DateTimeOffset.UtcNow, protocol, embedder.Id, embedder.Sha256, run.ModelHashes, BuildHashes.Read(),
            run.DataSha256, run.Seed, measured, calibration), key);
        Console.Error.WriteLine($"Evidence signed and written to {path}. Whoever uses it needs this laboratory's key too (`lfr-lab key`): the key goes into \"laboratories\" of lfr.json, the file on the console's page /evidence.");
    }

    private static List<OperatingPoint> Run(LabRun run, FaceDataSet data, TemplateSet templates, int?[] galleries, double[] wanted, double standard, int draws, bool forEvidence, CancellationToken stopping)
    {
        const int rank = PipelineSettings.MaximumCandidates;
        int eligible = OpenSetSearch.Eligible(templates, data.SubjectNumbers());
        var rows = new List<IReadOnlyList<ReportCell>>();
        var ranks = new List<ReportSeries>();
        var sets = new List<(string, ScoreHistogram, ScoreHistogram)>();
        var predictions = new List<ReportSeries>();
        var points = new List<OperatingPoint>();
        foreach (int? size in galleries)
        {
            int n = size ?? eligible;
            if (n > eligible || n == 0)
            {
                rows.Add([n, (double?)null, "refused", .. Enumerable.Repeat<ReportCell>(default, 12), $"only {eligible} people have two or more acquired images"]);
                continue;
            }
            // If everybody is enrolled, draws differ only in the image of each person, so one is enough.
            int drawn = n == eligible ? 1 : draws;
            OpenSetSearch search = ProgressBar.While($"Searching {n}", drawn, report => OpenSetSearch.Run(templates, data, run.Models.Embedder.Manifest, n, drawn, rank, run.Seed, report, stopping));
            bool Reported(Search s) => FaceDataSet.HalfOf(data.Subjects[s.Subject]) == 1;
            ScoreHistogram set = OpenSetSearch.Scores(search.NonMated.Where(s => !Reported(s)));
            var name = $"N = {n}";
            foreach (double w in wanted)
            {
                ThresholdChoice choice = ThresholdChoice.For(set, w);
                if (choice.Threshold is { } t)
                    Add(t, w, null);
                else
                    rows.Add([n, w, "refused", .. Enumerable.Repeat<ReportCell>(default, 12), choice.Refusal]);
            }
            Add(standard, null, "the embedder's own threshold, or the one given");
            if (forEvidence)
            {
                foreach (double t in EvidenceThresholds.Where(t => points.All(p => p.GallerySize != n || p.Threshold != t)))
                    points.Add(Point(t, null));
            }
            ranks.Add(new ReportSeries(name, [.. Enumerable.Range(1, OpenSetSearch.DeepestRank).Select(r => (double)r)], [.. Enumerable.Range(1, OpenSetSearch.DeepestRank).Select(r => search.AtRank(r).Rate)]));
            ScoreHistogram nonMated = OpenSetSearch.Scores(search.NonMated), mated = OpenSetSearch.Scores(search.Mated);
            sets.Add((name, nonMated, mated));
            double[] grid = [.. Enumerable.Range(0, 81).Select(i => i / 100.0).Where(t => nonMated.AtLeast(t).Count > 0)];
            predictions.Add(new ReportSeries($"{name} measured", grid, [.. grid.Select(t => nonMated.AtLeast(t).Rate)], [.. grid.Select(t => nonMated.AtLeast(t).ClopperPearson().Low)], [.. grid.Select(t => nonMated.AtLeast(t).ClopperPearson().High)]));
            predictions.Add(new ReportSeries($"{name} predicted", grid, [.. grid.Select(t => Predicted(search.NonMatedComparisons.AtLeast(t).Rate, n))]));
            for (int column = 0; column < data.GroupColumns.Count; column++)
            {
                Sections.AddDifferentials(run, $"{data.GroupColumns[column]} {name}", "FPIR", "FNIR", standard, [.. data.GroupValues(column).Select(v =>
                {
                    int c = column;
                    bool Of(Search s) => data.Samples[s.Image].Groups[c] == v;
                    (MeasuredRate tpir, MeasuredRate fpir) = search.At(standard, run.Seed, Of, s => Of(s) && Reported(s));
                    return GroupCell.Of(v, fpir, tpir.Complement());
                })]);
            }

            void Add(double t, double? w, string? note)
            {
                OperatingPoint p = Point(t, w);
                points.Add(p);
                double fmr = search.NonMatedComparisons.AtLeast(t).Rate, predicted = Predicted(fmr, n);
                string? firm = p.NonMated == 0 ? "no non-mated search" : p.FalsePositives < Proportion.RuleOfThirty ? "fewer than 30 false positives" : null;
                bool searched = p.NonMated > 0;
                rows.Add([n, w, t, searched ? (double?)p.Fpir : null, searched ? (double?)p.FpirLow : null, searched ? (double?)p.FpirHigh : null, p.FalsePositives, p.NonMated, fmr, predicted, p.Tpir, p.TpirLow, p.TpirHigh, p.TruePositives, p.Mated,
                    string.Join("; ", new[] { note, firm }.Where(x => x is not null))]);
                string at = t.ToString("0.####", CultureInfo.InvariantCulture);
                run.Figures.Add(ReportFigure.Of($"tpir.{n}.{(w is null ? "default" : w.Value.ToString(CultureInfo.InvariantCulture))}",
                    w is null ? $"N = {n}: TPIR at the embedder's threshold {at}" : $"N = {n}: TPIR where FPIR was set to {w.Value.ToString("0.####", CultureInfo.InvariantCulture)} ({at})",
                    new MeasuredRate(new Proportion(p.TruePositives, p.Mated), new Interval(p.TpirLow, p.TpirHigh)), searched ? $"FPIR {NumberText.Of(p.Fpir)} [{NumberText.Of(p.FpirLow)}, {NumberText.Of(p.FpirHigh)}]" : "no non-mated search: everybody of the half that reports is enrolled"));
            }

            OperatingPoint Point(double t, double? w)
            {
                (MeasuredRate tpir, MeasuredRate fpir) = search.At(t, run.Seed, _ => true, Reported);
                var groups = new List<GroupRates>();
                for (int column = 0; column < data.GroupColumns.Count; column++)
                {
                    int c = column;
                    foreach (string value in data.GroupValues(column))
                    {
                        bool Of(Search s) => data.Samples[s.Image].Groups[c] == value;
                        (MeasuredRate found, MeasuredRate raised) = search.At(t, run.Seed, Of, s => Of(s) && Reported(s));
                        groups.Add(GroupRates.From(data.GroupColumns[column], value, raised, found));
                    }
                }
                return OperatingPoint.From(n, t, w, fpir, tpir, groups);
            }
        }
        if (points.Count == 0)
            throw new CommandFailure(ExitCode.Input, $"Too few people for any of the requested galleries: only {eligible} have two or more images with a face, one to enrol and one to search with. Give a smaller --gallery, or more people.");
        run.Tables.Add(new ReportTable("identification", $"Thresholds set on the non-mated searches of one half of the people, FPIR reported on the other half's; TPIR within rank {rank}; predicted FPIR = 1 − (1 − FMR)^N",
            ["N", "wanted FPIR", "threshold", "FPIR", "low", "high", "false", "searches", "FMR", "predicted FPIR", "TPIR", "low", "high", "found", "mated", "note"], rows));
        Sections.AddDet(run.Curves, "FPIR", "FNIR", sets);
        run.Curves.Add(new ReportCurve("prediction", "FPIR measured and predicted by 1 − (1 − FMR)^N", new ReportAxis("threshold"), new ReportAxis("FPIR", true), predictions));
        run.Curves.Add(new ReportCurve("rank", "Mated searches with the mate within a rank", new ReportAxis("rank"), new ReportAxis("share"), ranks));
        return points;
    }

    private static double Predicted(double fmr, int n) => 1 - Math.Pow(1 - fmr, n);
}
