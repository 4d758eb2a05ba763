using System.Security.Cryptography;
using System.Text;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Evaluation.Passages;
using LfrEngine.Lab.Output;
using LfrEngine.Matching;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Watchlists;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab passages LIST</c>: analyses recorded video with the live pipeline and evaluates it by passages.</summary>
internal static class PassagesCommand
{
    private static readonly double[] EyeBands = [0, 10, 16, 24, 36, double.PositiveInfinity];

    // Numbers of false matches between a passage and a listed person at which ways of deciding are compared.
    private static readonly int[] FalsePairs = [1, 3, 10, 30, 100];

    // Because every look keeps its score with every template.
    private const int MostTemplatesForWays = 2000;

    public static Command Create()
    {
        var list = new Argument<FileInfo>("LIST") { Description = "CSV: video, camera, from, to (seconds), subject (an identity's id, or \"not listed\"); optional person, eye_pixels, track; every other column is a group." };
        var watchlist = new Option<FileInfo>("--watchlist") { Description = "Watchlist file from `lfr enrol`.", Required = true };
        var threshold = new Option<float?>("--threshold") { Description = "Threshold to report on; default: the embedder's." }.Above(-1, 1);
        var from = new Option<float?>("--from") { Description = "Lowest threshold of the curves; default: --threshold, with which the run is identical to `lfr run`." }.Above(-1, 1);
        var evidence = new Option<FileInfo?>("--evidence") { Description = "Write a signed evidence file, which the host checks before a deployment starts." };
        var detectEvery = PipelineOptions.DetectEvery();
        var ways = new Option<bool>("--ways") { Description = "Analyse everything once more and compare ways to choose shots and to combine their scores; needs true tracks." };
        var options = new LabOptions();
        KeyOptions key = new();
        var command = new Command("passages", "Recorded video through the real pipeline: people found and false alerts by passages.") { list, watchlist, threshold, from, detectEvery, evidence, ways };
        options.AddTo(command, images: false);
        key.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            string listPath = parsed.GetRequiredValue(watchlist).FullName;
            PassageList passages = PassageList.Read(parsed.GetRequiredValue(list).FullName);
            using WatchlistKey secret = key.GetFor(parsed, WatchlistFile.ReadHeader(listPath));
            using LabRun run = options.Start(parsed, "passages", "Passages", (parsed.GetValue(evidence), "--evidence"));
            using Watchlist people = WatchlistFile.Read(listPath, secret, run.Models.Embedder.Manifest.Sha256);
            float at = parsed.GetValue(threshold) ?? EmbedderThreshold.Default(run.Models.Embedder.Manifest), lowest = parsed.GetValue(from) ?? at;
            if (lowest > at)
                throw new CommandFailure(ExitCode.Usage, FormattableString.Invariant($"--from {lowest} is above the threshold {at}: the curves begin at --from and must reach the threshold."));
            string[] unknown = [.. passages.Passages.Select(p => p.Subject).Where(s => s is not null && people.Identities.All(i => i.Id != s)).Distinct()!];
            foreach (string subject in unknown)
                Console.Error.WriteLine($"{subject} is not on the watchlist: the passages count as missed.");
            if (parsed.GetValue(ways) && (passages.Passages.Any(p => p.Track.Count == 0) || people.TemplateCount > MostTemplatesForWays))
                throw new CommandFailure(ExitCode.Usage, $"--ways needs a track for every passage and a watchlist of at most {MostTemplatesForWays} photos; leave it out.");
            List<OperatingPoint> points = Run(run, passages, people, at, lowest, parsed.GetValue(detectEvery), stopping);
            if (parsed.GetValue(ways))
                CompareWays(run, passages.Passages, people, at, parsed.GetValue(detectEvery), stopping);
            if (parsed.GetValue(evidence) is { } file)
                IdentifyCommand.WriteEvidence(run, "passages", points, file.FullName);
            int code = run.Finish();
            return Task.FromResult(run.Failures.Count > 0 ? ExitCode.Incomplete : code);
        });
        return command;
    }

    private static List<OperatingPoint> Run(LabRun run, PassageList list, Watchlist people, float threshold, float lowest, int detectEveryMs, CancellationToken stopping)
    {
        IReadOnlyList<Passage> passages = list.Passages;
        var settings = new PipelineSettings { Thresholds = CategoryThresholds.Uniform(lowest), DetectEveryMs = detectEveryMs };
        var scoring = new PassageScoring(settings.Alerts.AgreeingShots);
        var watch = new PassageWatch(passages);
        (string Camera, string Video)[] cameras = [.. passages.Select(p => (p.Camera, p.Video)).Distinct()];
        var rows = new List<IReadOnlyList<ReportCell>>();
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (Gallery gallery = Gallery.Create(people, run.Models.Embedder.Manifest.CoverScales))
        {
            var pipeline = new LivePipeline(run.Models, gallery, settings with { OnCompared = scoring.Add, OnTracked = watch.Add });
            ProgressBar.While("Watching", cameras.Length, report =>
            {
                foreach ((int i, (string camera, string video)) in cameras.Index())
                {
                    hash.AppendData(Encoding.UTF8.GetBytes($"{camera} {(File.Exists(video) ? PackageCache.HashOf(video) : video)}\n"));
                    var status = new CameraStatus(camera);
                    // One camera at a time.
                    pipeline.Run([new CameraSettings(camera, video, Pace.Maximum)], [status], alert => alert.Dispose(), new RunTotals(), stopping);
                    stopping.ThrowIfCancellationRequested();
                    if (status.State == CameraState.Failed)
                        run.Failures.Add(new ReportFailure(camera, "unreadable", status.Message));
                    rows.Add([camera, Path.GetFileName(video), status.FramesAnalysed, status.FacesSeen, status.ShotsCompared, status.Alerts, status.TraceSha256]);
                    report(i + 1);
                }
            });
        }
        if (run.Failures.Count == cameras.Length)
            throw new CommandFailure(ExitCode.Input, $"No recording can be read, the first ({run.Failures[0].Name}) because: {run.Failures[0].Reason}");
        foreach (Passage p in passages)
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{p.Camera} {p.FromMs} {p.ToMs} {p.Subject} {p.Person} {string.Join(' ', p.Groups)}\n")));
        run.TookData(Convert.ToHexStringLower(hash.GetHashAndReset()), cameras.Length, passages.Select(p => p.Person).Distinct().Count());

        var strangers = new List<float>();
        IReadOnlyList<PassageOutcome> outcomes = scoring.Judge(passages, [.. people.Identities.Select(i => i.Id)], threshold, strangers);
        PassageOutcome[] mated = [.. outcomes.Where(o => o.Passage.Subject is not null)], nonMated = [.. outcomes.Where(o => o.Passage.Subject is null)];
        OperatingPoint point = Point(threshold);
        run.Figures.Add(ReportFigure.Of("tpir", $"TPIR: passages of listed people found, at {threshold:0.####}", new MeasuredRate(new Proportion(point.TruePositives, point.Mated), new Interval(point.TpirLow, point.TpirHigh))));
        run.Figures.Add(ReportFigure.Of("fpir", "FPIR: passages of people not listed with an alert", new MeasuredRate(new Proportion(point.FalsePositives, point.NonMated), new Interval(point.FpirLow, point.FpirHigh)),
            point.FalsePositives < Proportion.RuleOfThirty ? "fewer than 30 false alerts: not known to ±30 %" : null));
        var confused = new Proportion(mated.Count(o => o.WrongScore >= threshold), mated.Length);
        run.Figures.Add(ReportFigure.Of("wrongIdentity", "Passages of listed people with an alert for somebody else", MeasuredRate.Of(confused)));
        run.Figures.Add(new ReportFigure("strangerAlerts", "Alerts that belong to no passage", strangers.Count(s => s >= threshold)));
        double[] times = [.. mated.Where(o => o.AlertAfterMs is not null).Select(o => o.AlertAfterMs!.Value).Order()];
        if (times.Length > 0)
        {
            run.Figures.Add(new ReportFigure("alertAfterMs.p50", "From entering to alert, median, ms of stream time", times[times.Length / 2]));
            run.Figures.Add(new ReportFigure("alertAfterMs.p90", "From entering to alert, 90th percentile, ms of stream time", times[times.Length * 9 / 10]));
        }
        var missed = new Proportion(outcomes.Count(o => o.Compared == 0), outcomes.Count);
        run.Figures.Add(ReportFigure.Of("neverCompared", "Passages without a shot good enough to compare", MeasuredRate.Of(missed)));
        var listed = people.Identities.Select(i => i.Id).ToHashSet();
        var seen = outcomes.Zip(watch.Sights, (outcome, sight) => (Outcome: outcome, Sight: sight,
            Stage: outcome.Passage.Subject is { } subject ? sight.Stage(outcome, listed.Contains(subject), threshold, settings.Alerts.AgreeingShots) : (LossStage?)null)).ToArray();
        run.Tables.Add(new ReportTable("lost", "Where passages of listed people are lost: the first stage that they did not pass", ["stage", "meaning", "passages", "share", "low", "high"],
            [.. Enum.GetValues<LossStage>().Select(stage =>
            {
                var here = new Proportion(seen.Count(s => s.Stage == stage), mated.Length);
                Interval? interval = here.Total > 0 ? here.ClopperPearson() : null;
                return (IReadOnlyList<ReportCell>)[NameOf(stage), Meaning(stage, settings.Alerts.AgreeingShots), here.Count, here.Total > 0 ? here.Rate : (double?)null, interval?.Low, interval?.High];
            }).Where(_ => mated.Length > 0)]));
        run.Tables.Add(new ReportTable("cameras", "Recordings; the trace is a hash over every compared shot: `lfr run --pace max` gives the same", ["camera", "video", "frames", "faces seen", "shots compared", "alerts", "trace"], rows));
        if (outcomes.Any(o => o.Passage.EyePixels is not null))
        {
            run.Tables.Add(new ReportTable("eyes", "By pixels between the eyes where the face is largest", ["from", "to", "passages", "never compared", "share", "low", "high", "listed", "found"],
                [.. EyeBands.Zip(EyeBands.Skip(1)).Select(band =>
                {
                    PassageOutcome[] inside = [.. outcomes.Where(o => o.Passage.EyePixels >= band.First && o.Passage.EyePixels < band.Second)];
                    var never = new Proportion(inside.Count(o => o.Compared == 0), inside.Length);
                    Interval? interval = never.Total > 0 ? never.ClopperPearson() : null;
                    return (IReadOnlyList<ReportCell>)[band.First, band.Second, inside.Length, never.Count, never.Rate, interval?.Low, interval?.High,
                        inside.Count(o => o.Passage.Subject is not null), inside.Count(o => o.Passage.Subject is not null && o.OwnScore >= threshold)];
                })]));
        }
        run.Tables.Add(new ReportTable("passages", "Every passage; a score is the highest threshold at which the alert is raised", ["camera", "from s", "to s", "subject", "eye pixels", "shots compared", "own score", "wrong score", "alert after ms", "frames searched", "found in", "followed in", "looks", "lost at"],
            [.. seen.Select(s =>
            {
                PassageOutcome o = s.Outcome;
                return (IReadOnlyList<ReportCell>)[o.Passage.Camera, o.Passage.FromMs / 1000, o.Passage.ToMs / 1000, o.Passage.Subject ?? PassageList.NotListed, o.Passage.EyePixels, o.Compared,
                    o.OwnScore >= 0 ? (double)o.OwnScore : (double?)null, o.WrongScore >= 0 ? (double)o.WrongScore : (double?)null, o.AlertAfterMs,
                    s.Sight.Searched, s.Sight.Found, s.Sight.Followed, s.Sight.Looks.Skip(1).Sum(), s.Stage is { } stage ? NameOf(stage) : null];
            })]));
        ScoreHistogram own = new(), wrong = new();
        foreach (PassageOutcome o in mated)
            own.Add(o.OwnScore);
        foreach (PassageOutcome o in nonMated)
            wrong.Add(o.WrongScore);
        double[] grid = [.. Enumerable.Range((int)Math.Ceiling(lowest * 100), Math.Max(1, 101 - (int)Math.Ceiling(lowest * 100))).Select(t => t / 100.0)];
        run.Curves.Add(new ReportCurve("passage-rates", "TPIR and FPIR by passages over the threshold, bands of 95 %", new ReportAxis("threshold"), new ReportAxis("rate"),
        [
            new ReportSeries("TPIR", grid, [.. grid.Select(t => own.AtLeast(t).Rate)], [.. grid.Select(t => own.AtLeast(t).ClopperPearson().Low)], [.. grid.Select(t => own.AtLeast(t).ClopperPearson().High)]),
            new ReportSeries("FPIR", grid, [.. grid.Select(t => wrong.AtLeast(t).Rate)], [.. grid.Select(t => wrong.AtLeast(t).ClopperPearson().Low)], [.. grid.Select(t => wrong.AtLeast(t).ClopperPearson().High)]),
        ]));
        for (int column = 0; column < list.GroupColumns.Count; column++)
        {
            int c = column;
            Sections.AddDifferentials(run, list.GroupColumns[c], "FPIR", "FNIR", threshold, [.. list.GroupValues(c).Select(value =>
            {
                (MeasuredRate fpir, MeasuredRate tpir) = Rates(threshold, c, value);
                return GroupCell.Of(value, fpir, tpir.Complement());
            })]);
        }
        return [point, .. grid.Where(t => t >= lowest && Math.Abs(t - threshold) > 1e-6).Select(t => Point((float)t))];

        OperatingPoint Point(float t)
        {
            (MeasuredRate fpir, MeasuredRate tpir) = Rates(t);
            GroupRates[] groups = [.. Enumerable.Range(0, list.GroupColumns.Count).SelectMany(c => list.GroupValues(c).Select(value =>
            {
                (MeasuredRate raised, MeasuredRate found) = Rates(t, c, value);
                return GroupRates.From(list.GroupColumns[c], value, raised, found);
            }))];
            return OperatingPoint.From(people.Identities.Count, Math.Round(t, 4), null, fpir, tpir, groups);
        }

        // Of all passages, or of those with a value in a group column.
        (MeasuredRate Fpir, MeasuredRate Tpir) Rates(float t, int column = 0, string? value = null)
        {
            return (Of(nonMated, o => o.WrongScore >= t), Of(mated, o => o.OwnScore >= t));

            MeasuredRate Of(PassageOutcome[] some, Func<PassageOutcome, bool> counts) => MeasuredRate.BySubject(some.Where(o => value is null || o.Passage.Groups[column] == value)
                .GroupBy(o => o.Passage.Person).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => new SubjectCount(g.Count(counts), g.Count())), run.Seed);
        }
    }

    private static void CompareWays(LabRun run, IReadOnlyList<Passage> passages, Watchlist people, float threshold, int detectEveryMs, CancellationToken stopping)
    {
        using Gallery gallery = Gallery.Create(people);
        using var log = new LookLog(run.Models.Embedder, gallery);
        // No score reaches 2, so no alert is raised, but everything is embedded.
        var settings = new PipelineSettings { Thresholds = CategoryThresholds.Uniform(2), DetectEveryMs = detectEveryMs, BestShots = LookLog.EveryLook, OnEmbedded = log.Add };
        var pipeline = new LivePipeline(run.Models, gallery, settings);
        (string Camera, string Video)[] cameras = [.. passages.Select(p => (p.Camera, p.Video)).Distinct()];
        ProgressBar.While("Comparing ways", cameras.Length, report =>
        {
            foreach ((int i, (string camera, string video)) in cameras.Index())
            {
                pipeline.Run([new CameraSettings(camera, video, Pace.Maximum)], [new CameraStatus(camera)], alert => alert.Dispose(), new RunTotals(), stopping);
                stopping.ThrowIfCancellationRequested();
                report(i + 1);
            }
        });
        var policy = new PipelineSettings { Thresholds = settings.Thresholds };
        var judge = new DecisionWays(passages, [.. gallery.Identities.Select(i => i.Id)], gallery.RowIdentities.ToArray(), policy.Alerts.AgreeingShots, policy.BestShots);
        run.Tables.Add(new ReportTable("ways", "Ways of choosing and combining shots: passages found at the threshold, and at a given number of false matches between a passage and a listed person",
            ["way", "shots", "found", "false pairs", .. FalsePairs.Select(n => $"found at {n} false"), .. FalsePairs.Select(n => $"threshold at {n} false")],
            [.. judge.Judge(log.Tracklets).Select(way => (IReadOnlyList<ReportCell>)
            [
                way.Name, way.Shots, way.Own.Count(s => s >= threshold), way.False.Count(s => s >= threshold),
                .. FalsePairs.Select(n => (ReportCell)(way.ThresholdFor(n) is { } t ? way.Own.Count(s => s >= t) : (double?)null)),
                .. FalsePairs.Select(n => (ReportCell)(double?)way.ThresholdFor(n)),
            ])]));
    }

    private static string NameOf(LossStage stage)
    {
        string name = stage.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    private static string Meaning(LossStage stage, int agreeingShots) => stage switch
    {
        LossStage.NotOnList => "not on the watchlist: no photo was enrolled",
        LossStage.NotFound => "the detector found the face in no frame",
        LossStage.NotFollowed => "found, but not in two successive frames",
        LossStage.TooSmall => "followed, always too small for a close look",
        LossStage.NoLandmarks => "looked at, mostly without usable landmarks",
        LossStage.Implausible => "looked at, mostly judged not to be a face",
        LossStage.EyesTooClose => "looked at, mostly with too few pixels between the eyes",
        LossStage.PoorQuality => "looked at, mostly too blurred, dark or turned away",
        LossStage.TooFewShots => $"fewer shots compared than the {agreeingShots} that an alert needs",
        LossStage.BelowThreshold => "no shot reached the threshold",
        LossStage.TooFewAgree => $"shots reached the threshold, fewer than {agreeingShots}",
        LossStage.Broken => "enough shots reached the threshold, but the face was lost from sight between them",
        LossStage.Found => "an alert was raised",
        _ => throw new ArgumentOutOfRangeException(nameof(stage)),
    };
}
