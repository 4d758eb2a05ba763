using System.Numerics.Tensors;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Evaluation.Cover;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Watchlists;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab cover DATA</c>: the same probes with masks, scarves, sunglasses, caps, hair and hands, and in degraded pictures.</summary>
internal static class CoverCommand
{
    public static Command Create()
    {
        var data = new Argument<string>("DATA") { Description = "Folder with one sub-folder of images per person, or a CSV (file, subject, …)." };
        var subjects = new Option<int>("--subjects") { Description = "People enrolled with one image and searched with another.", DefaultValueFactory = _ => 200 }.From(2);
        var others = new Option<int?>("--others") { Description = "People searched who are not enrolled; default: as many as are enrolled. A rate of 1 % needs 600." }.From(0);
        var threshold = new Option<double?>("--threshold") { Description = "Threshold; default: the embedder's." }.Above(-1, 1);
        var coversOnly = new Option<bool>("--covers-only") { Description = "Test only covers, not blur, light, noise, compression, size and yaw." };
        var options = new LabOptions();
        var command = new Command("cover", "Compare the same probes covered and degraded: one row and one curve per stratum, and the benefit of each step of the cover scoring.") { data, subjects, others, threshold, coversOnly };
        options.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            using LabRun run = options.Start(parsed, "cover", "Cover and worse pictures");
            FaceDataSet all = FaceDataSet.Read(Path.GetFullPath(parsed.GetRequiredValue(data)), options.Excluded(parsed));
            int wanted = parsed.GetValue(subjects);
            IReadOnlyList<Stratum> strata = [.. Stratum.All.Where(s => !parsed.GetValue(coversOnly) || s.Kind is "none" or "cover")];
            Run(parsed, options, run, all, strata, wanted, parsed.GetValue(others) ?? wanted, LabOptions.Threshold(parsed.GetValue(threshold), run), stopping);
            return Task.FromResult(run.Finish());
        });
        return command;
    }

    private static void Run(ParseResult parsed, LabOptions options, LabRun run, FaceDataSet data, IReadOnlyList<Stratum> strata, int wanted, int strangers, double threshold, CancellationToken stopping)
    {
        var random = SeededRandom.For(run.Seed, "cover");
        Sample[][] people = [.. data.Samples.GroupBy(s => s.Subject).Select(g => g.ToArray())];
        random.Shuffle<Sample[]>(people);
        Sample[][] enrolled = [.. people.Where(p => p.Length > 1).Take(wanted)];
        Sample[] others = [.. people.Except(enrolled).Take(strangers).Select(p => p[0])];
        if (enrolled.Length == 0)
            throw new CommandFailure(ExitCode.Input, "Nobody has two images, so there is no probe to cover.");
        var references = new FaceDataSet([.. enrolled.Select(p => p[0])], []);
        Sample[] probes = [.. enrolled.Select(p => p[1]), .. others];
        using TemplateSet photos = options.Extract(parsed, run, references, "failure to enrol", stopping);
        int[] acquired = [.. Enumerable.Range(0, photos.Count).Where(photos.IsAcquired)];
        if (acquired.Length == 0)
            throw new CommandFailure(ExitCode.Input, $"None of the {enrolled.Length} people could be enrolled, the first because: {photos.Outcomes[0].Reason}.");
        using Watchlist list = List(run, references, photos, acquired, stopping);
        using Gallery plain = Gallery.Create(list), full = Gallery.Create(list, Scales(run.Models.Embedder.Manifest));
        CoverSetup[] setups = CoverSetup.All(list, plain, full);
        // One score per set-up, stratum and probe; −1 if there is no face to compare.
        var own = new float[setups.Length, strata.Count, probes.Length];
        var best = new float[setups.Length, strata.Count, probes.Length];
        Fill(own);
        Fill(best);
        // Index on the list of each person; −1 for those without a template, who are not on it.
        int[] places = new int[probes.Length];
        Array.Fill(places, -1);
        foreach ((int place, int person) in acquired.Index())
            places[person] = place;
        var search = new CosineSearch();
        ProgressBar.While("Covering", probes.Length, report => TemplateExtractor.OnAllProcessors(run.Models, probes.Length, Judge, report, stopping));
        run.TookData(photos.DataSha256, references.Samples.Count + probes.Length, enrolled.Length + others.Length);
        run.Figures.Add(new ReportFigure("galleryPeople", "People enrolled", acquired.Length));
        foreach (CoverSetup setup in setups)
            setup.Ablation?.Dispose();
        var scores = new CoverScores(strata, setups, own, best, places, [.. probes.Select(p => FaceDataSet.HalfOf(p.Subject))]) { Others = others.Length };
        scores.AtThreshold(run, threshold);
        scores.AtRates(run);
        scores.Parts(run);

        void Judge(StillAnalyzer analyzer, int i)
        {
            try
            {
                using HostBuffer<byte>? file = TemplateExtractor.ReadFile(probes[i].Path, out string problem);
                if (file is null)
                {
                    Fail(problem);
                    return;
                }
                using MediaFrame decoded = MediaReader.ReadPicture(file.Span);
                FrameView view = FrameLease.ViewOf(decoded);
                using StillFace? face = TemplateExtractor.EmbedCentral(analyzer, view);
                if (face is null)
                {
                    Fail("no face found in the uncovered image");
                    return;
                }
                var candidates = new Candidate[acquired.Length];
                using Picture uncovered = Stratum.Scaled(view, view.Width, view.Height);
                for (int s = 0; s < strata.Count; s++)
                {
                    using Picture harder = strata[s].Apply(uncovered, face.Landmarks.Points, SeededRandom.For(run.Seed, $"{strata[s].Name} {probes[i].Name}"));
                    ReadOnlySpan<FaceCandidate> found = analyzer.Detect(harder.View);
                    if (found.IsEmpty)
                        continue;
                    FaceCandidate seen = TemplateExtractor.NearestToCentre(found, harder.View);
                    using StillFace? now = analyzer.Embed(harder.View, seen, brow: BrowTreatment.BlankIfCovered);
                    if (now is null)
                        continue;
                    // If nothing is covered, the result without examining the cover is the same.
                    using StillFace? before = now.Cover.Parts == FaceCover.None ? null : analyzer.Embed(harder.View, seen, examine: false);
                    // With the true cover, the engine blanks the brow accordingly and not by its own judgement.
                    bool blanks = strata[s].Hides == FaceCover.Brow, blanked = now.Cover.Parts == FaceCover.Brow;
                    using StillFace? known = blanks == blanked ? null : analyzer.Embed(harder.View, seen, brow: blanks ? BrowTreatment.Blank : BrowTreatment.Kept);
                    foreach ((int which, CoverSetup setup) in setups.Index())
                        Compare(candidates, setup, which, s, i, setup.Known ? known ?? now : setup.UnderCover ? now : before ?? now);
                }
            }
            catch (MediaException e)
            {
                Fail(e.Message);
            }

            void Fail(string reason)
            {
                lock (run.Failures)
                    run.Failures.Add(new ReportFailure(probes[i].Name, "failure to acquire", reason));
            }
        }

        void Compare(Candidate[] candidates, CoverSetup setup, int which, int s, int i, StillFace probe)
        {
            Span<int> count = stackalloc int[1];
            FaceCover cover = setup.Known ? strata[s].Hides : setup.Judged ? probe.Cover.Parts : FaceCover.None;
            if (setup.Ablation is { } ablation)
            {
                Span<float> scores = stackalloc float[acquired.Length];
                if (ablation.TryScore(probe.Embedding.Span, cover, scores))
                {
                    best[which, s, i] = TensorPrimitives.Max(scores);
                    own[which, s, i] = places[i] >= 0 ? scores[places[i]] : -1;
                    return;
                }
            }
            search.Search(setup.Gallery, probe.Embedding.Span, CategoryThresholds.Uniform(float.MinValue), candidates.Length, candidates, count, [cover]);
            for (int c = 0; c < count[0]; c++)
            {
                best[which, s, i] = Math.Max(best[which, s, i], candidates[c].ComparisonScore);
                if (candidates[c].IdentityIndex == places[i])
                    own[which, s, i] = candidates[c].ComparisonScore;
            }
        }

        static void Fill(float[,,] scores)
        {
            foreach (ref float score in System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref scores[0, 0, 0], scores.Length))
                score = -1;
        }
    }

    /// <summary>Makes a watchlist with one person per photo that gave a template, in order.</summary>
    internal static Watchlist List(LabRun run, FaceDataSet references, TemplateSet photos, int[] acquired, CancellationToken stopping)
    {
        ModelManifest embedder = run.Models.Embedder.Manifest;
        var made = new PhotoTemplates?[acquired.Length];
        try
        {
            ProgressBar.While("Drawing on the list's photos", acquired.Length, report => TemplateExtractor.OnAllProcessors(
                () => new CoveredTemplateMaker(run.Models), acquired.Length, (maker, i) => made[i] = Draw(maker, acquired[i]), report, stopping));
            using var builder = new WatchlistBuilder("laboratory", embedder.Id, embedder.Sha256, photos.Length);
            foreach ((int i, int photo) in acquired.Index())
                made[i]!.AddTo(builder, builder.AddIdentity(new WatchlistIdentity($"{photo}", "", WatchlistCategory.Wanted)), photos.Outcomes[photo].Quality.Score, []);
            return builder.Build();
        }
        finally
        {
            foreach (PhotoTemplates? one in made)
                one?.Dispose();
        }

        PhotoTemplates Draw(CoveredTemplateMaker maker, int photo)
        {
            var templates = new PhotoTemplates(photos.Length, CoveredTemplateMaker.Covers);
            photos[photo].CopyTo(templates[0]);
            if (!TryMake(maker, references.Samples[photo].Path, photos.Outcomes[photo].Box, templates))
                templates.ForgetCovered();
            return templates;
        }
    }

    // An embedder without scales can be measured too: a line preserves the order of scores, and each cover has its own thresholds here.
    private static CoverScale[] Scales(ModelManifest embedder) =>
        embedder.CoverScales is { Length: > 0 } known ? known : [.. CoveredTemplateMaker.Covers.Distinct().Select(c => new CoverScale(c, 0, 0.1f, 1, 0, "none"))];

    private static bool TryMake(CoveredTemplateMaker maker, string path, FaceBox box, PhotoTemplates templates)
    {
        using HostBuffer<byte> file = TemplateExtractor.ReadFile(path, out string problem) ?? throw new CommandFailure(ExitCode.Input, $"{path}: {problem}");
        using MediaFrame photo = MediaReader.ReadPicture(file.Span);
        return maker.TryMake(FrameLease.ViewOf(photo), box, CoveredTemplateMaker.SeedOf(file.Span), templates.Covered);
    }
}

/// <summary>One way of comparing covered faces.</summary>
/// <param name="Name">Name in tables.</param>
/// <param name="Gallery">The gallery to search. Borrowed.</param>
/// <param name="UnderCover">Whether covered faces get the landmarks for covered faces, and a covered brow is blanked.</param>
/// <param name="Judged">Whether the search uses the cover judged by the engine.</param>
/// <param name="Known">Whether the search uses the true cover.</param>
internal sealed record CoverSetup(string Name, Gallery Gallery, bool UnderCover, bool Judged, bool Known = false)
{
    /// <summary>Index of the engine's own way.</summary>
    public const int Engine = 2;

    /// <summary>Number of complete ways; those after them omit steps.</summary>
    public const int Ways = 4;

    /// <summary>Steps of the comparison that are used.</summary>
    public CoverParts Parts { get; private init; } = CoverParts.All;

    /// <summary>Scores covered faces instead of the gallery if steps are omitted. Owned by the caller of <see cref="All"/>.</summary>
    public CoverAblation? Ablation { get; private init; }

    /// <summary>Without any treatment of cover, up to the complete engine; with the true cover; and the engine without some of the steps.</summary>
    public static CoverSetup[] All(Watchlist list, Gallery plain, Gallery full) =>
    [
        new("photos alone", plain, UnderCover: false, Judged: false),
        new("+ crops under cover", plain, UnderCover: true, Judged: false) { Parts = CoverParts.None },
        new("+ covered templates", full, UnderCover: true, Judged: true),
        new("the cover known, not judged", full, UnderCover: true, Judged: false, Known: true),
        .. Enumerable.Range(1, (int)CoverParts.All - 1).Select(p => new CoverSetup($"{(CoverParts)p}", plain, UnderCover: true, Judged: true) { Parts = (CoverParts)p, Ablation = new CoverAblation(list, full, (CoverParts)p) }),
    ];
}

/// <summary>Scores of covered and degraded probes, and the tables made from them.</summary>
/// <param name="strata">In order.</param>
/// <param name="setups">In order (<see cref="CoverSetup.All"/>).</param>
/// <param name="own">[set-up, stratum, probe]: score with the probe's own person; −1 for none.</param>
/// <param name="best">[set-up, stratum, probe]: best score with anybody.</param>
/// <param name="places">Index on the list of each probe's person; −1 for those who are not on it.</param>
/// <param name="halves">Half to which each probe's person belongs (<see cref="FaceDataSet.HalfOf"/>).</param>
internal sealed class CoverScores(IReadOnlyList<Stratum> strata, CoverSetup[] setups, float[,,] own, float[,,] best, int[] places, int[] halves)
{
    private const int Engine = CoverSetup.Engine;

    /// <summary>Results of the engine at one threshold.</summary>
    public void AtThreshold(LabRun run, double threshold)
    {
        var rows = new List<IReadOnlyList<ReportCell>>();
        var series = new List<ReportSeries>();
        double[] grid = [.. Enumerable.Range(0, 71).Select(t => t / 100.0)];
        for (int s = 0; s < strata.Count; s++)
        {
            float[] mated = Mated(Engine, s), nonMated = Strangers(Engine, s);
            var lost = new Proportion(Enumerable.Range(0, places.Length).Count(i => best[Engine, s, i] <= -1), places.Length);
            var found = new Proportion(mated.Count(m => m >= (float)threshold), mated.Length);
            var wrong = new Proportion(nonMated.Count(m => m >= (float)threshold), nonMated.Length);
            Interval? foundInterval = found.Total > 0 ? found.Wilson() : null, wrongInterval = wrong.Total > 0 ? wrong.ClopperPearson() : null;
            float[] sorted = [.. mated.Where(m => m > -1).Order()];
            rows.Add([strata[s].Name, lost.Rate, found.Rate, foundInterval?.Low, foundInterval?.High, found.Count, found.Total, wrong.Rate, wrongInterval?.Low, wrongInterval?.High, wrong.Count, wrong.Total,
                sorted.Length > 0 ? sorted[sorted.Length / 2] : (double?)null]);
            series.Add(new ReportSeries(strata[s].Name, grid, [.. grid.Select(t => (double)mated.Count(m => m >= (float)t) / mated.Length)]));
        }
        run.Tables.Add(new ReportTable("strata", $"At threshold {threshold}: one probe per person; a face that is not found counts as missed",
            ["stratum", "FTA", "TPIR", "low", "high", "found", "of", "FPIR", "low", "high", "false", "of", "median mated score"], rows));
        foreach (IGrouping<string, (int Index, Stratum Item)> kind in strata.Index().Skip(1).GroupBy(s => s.Item.Kind))
            run.Curves.Add(new ReportCurve($"tpir-{kind.Key}", $"TPIR over the threshold: {kind.Key}", new ReportAxis("threshold"), new ReportAxis("TPIR"), [series[0], .. kind.Select(s => series[s.Index])]));
    }

    /// <summary>The benefit of each part: thresholds are set with the strangers of one half of the people and evaluated on the other half.</summary>
    public void AtRates(LabRun run)
    {
        foreach (double rate in (ReadOnlySpan<double>)[0.1, 0.02, 0.01])
        {
            var rows = new List<IReadOnlyList<ReportCell>>();
            for (int s = 0; s < strata.Count; s++)
            {
                if (strata[s].Kind is not ("none" or "cover"))
                    continue;
                for (int which = 0; which < CoverSetup.Ways; which++)
                    rows.Add([strata[s].Name, setups[which].Name, .. Cells(which, s, ThresholdFor(which, s, rate)), .. Cells(which, s, ThresholdFor(which, 0, rate)).Skip(1)]);
            }
            run.Tables.Add(new ReportTable($"fpir-{rate * 100:0}", $"TPIR at FPIR {rate:0 %}: thresholds set with strangers of one half of the people, evaluated on the other half; on the right with the threshold for uncovered probes",
                ["cover", "compared by", "threshold", "TPIR", "low", "high", "FPIR", "of", "TPIR", "low", "high", "FPIR", "of"], rows));
        }
    }

    /// <summary>The benefit of each combination of steps, always with the landmarks for covered faces.</summary>
    public void Parts(LabRun run)
    {
        double[] rates = [0.1, 0.02, 0.01];
        var rows = new List<IReadOnlyList<ReportCell>>();
        for (int s = 0; s < strata.Count; s++)
        {
            if (strata[s].Kind != "cover")
                continue;
            foreach ((int which, CoverSetup setup) in setups.Index().Where(e => e.Item.UnderCover && !e.Item.Known).OrderBy(e => e.Item.Parts))
            {
                rows.Add([strata[s].Name, .. new[] { CoverParts.Pooled, CoverParts.Projected, CoverParts.Subtracted }.Select(p => (ReportCell)(setup.Parts.HasFlag(p) ? "yes" : "")),
                    .. rates.SelectMany(r => Cells(which, s, ThresholdFor(which, s, r)).Skip(1).Take(3)), Mated(which, s, half: 1).Length]);
            }
        }
        run.Tables.Add(new ReportTable("parts", "TPIR at FPIR 10, 2 and 1 % with each combination of steps",
            ["cover", "pooled templates", "projection", "subtraction", .. rates.SelectMany(r => (string[])[$"TPIR at {r:0 %}", "low", "high"]), "of"], rows));
    }

    private double? ThresholdFor(int which, int s, double rate)
    {
        var scores = new ScoreHistogram();
        foreach (float score in Strangers(which, s, half: 0))
            scores.Add(score);
        return scores.Total == 0 ? null : ThresholdChoice.For(scores, rate).Threshold;
    }

    private ReportCell[] Cells(int which, int s, double? threshold)
    {
        if (threshold is not { } at)
            return [null as double?, null as double?, null as double?, null as double?, null as double?, null as double?];
        float[] mated = Mated(which, s, half: 1), strangers = Strangers(which, s, half: 1);
        var found = new Proportion(mated.Count(m => m >= (float)at), mated.Length);
        var wrong = new Proportion(strangers.Count(m => m >= (float)at), strangers.Length);
        Interval interval = found.Wilson();
        return [at, Known(found.Rate), interval.Low, interval.High, Known(wrong.Rate), wrong.Total];
    }

    private static double? Known(double rate) => double.IsFinite(rate) ? rate : null;

    private float[] Mated(int which, int s, int? half = null) => [.. Probes(half).Where(i => places[i] >= 0).Select(i => own[which, s, i])];

    // A person who could not be enrolled is neither listed nor a stranger.
    private float[] Strangers(int which, int s, int? half = null) => [.. Probes(half).Where(i => places[i] < 0 && i >= places.Length - Others).Select(i => best[which, s, i])];

    private IEnumerable<int> Probes(int? half) => Enumerable.Range(0, places.Length).Where(i => half is null || halves[i] == half);

    /// <summary>Number of probes, at the end, whose people are not listed.</summary>
    public required int Others { get; init; }
}
