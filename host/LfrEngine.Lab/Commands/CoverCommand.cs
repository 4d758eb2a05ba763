using System.CommandLine;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Evaluation.Cover;
using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Reports;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Evaluation.Templates;
using LfrEngine.Frames;
using LfrEngine.Host;
using LfrEngine.Host.Commands;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab cover DATA</c>: the same probes with masks, scarves, sunglasses, caps, hair and hands, and in worse pictures.</summary>
internal static class CoverCommand
{
    public static Command Create()
    {
        var data = new Argument<string>("DATA") { Description = "Folder with one sub-folder of images per person, or a CSV (file, subject, …)." };
        var subjects = new Option<int>("--subjects") { Description = "People enrolled with one image and searched with another; as many others are searched who are not enrolled.", DefaultValueFactory = _ => 200 };
        var threshold = new Option<double?>("--threshold") { Description = "Threshold; default: the embedder's." };
        var options = new LabOptions();
        var command = new Command("cover", "The same probes covered and worsened: one row and one curve per stratum.") { data, subjects, threshold };
        options.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            if (parsed.GetValue(subjects) < 2)
                throw new CommandFailure(ExitCode.Usage, "--subjects is at least 2.");
            using LabRun run = options.Start(parsed, "cover", "Cover and worse pictures");
            FaceDataSet all = FaceDataSet.Read(Path.GetFullPath(parsed.GetRequiredValue(data)), options.Excluded(parsed));
            Run(parsed, options, run, all, parsed.GetValue(subjects), LabOptions.Threshold(parsed.GetValue(threshold), run), stopping);
            return Task.FromResult(run.Finish());
        });
        return command;
    }

    private static void Run(ParseResult parsed, LabOptions options, LabRun run, FaceDataSet data, int wanted, double threshold, CancellationToken stopping)
    {
        var random = SeededRandom.For(run.Seed, "cover");
        Sample[][] people = [.. data.Samples.GroupBy(s => s.Subject).Select(g => g.ToArray())];
        random.Shuffle<Sample[]>(people);
        Sample[][] enrolled = [.. people.Where(p => p.Length > 1).Take(wanted)];
        Sample[] others = [.. people.Except(enrolled).Take(enrolled.Length).Select(p => p[0])];
        if (enrolled.Length == 0)
            throw new CommandFailure(ExitCode.Input, "Nobody has two images: there is no probe to cover.");
        var references = new FaceDataSet([.. enrolled.Select(p => p[0])], []);
        Sample[] probes = [.. enrolled.Select(p => p[1]), .. others];
        using TemplateSet gallery = options.Extract(parsed, run, references, "failure to enrol", stopping);
        if (!Enumerable.Range(0, gallery.Count).Any(gallery.IsAcquired))
            throw new CommandFailure(ExitCode.Input, $"None of the {enrolled.Length} people could be enrolled, the first because: {gallery.Outcomes[0].Reason}.");
        var strata = Stratum.All;
        // One row per probe and stratum, −1 where there is no face to compare.
        var own = new float[strata.Count, probes.Length];
        var best = new float[strata.Count, probes.Length];
        Progress.While("Covering", probes.Length, report =>
        {
            int done = 0, next = -1;
            Parallel.For(0, Environment.ProcessorCount, new ParallelOptions { CancellationToken = stopping }, _ =>
            {
                using var analyzer = new StillAnalyzer(run.Models, StillAnalyzer.StillSettings);
                using var probe = new TemplateSet(1, gallery.Length);
                int i;
                while ((i = Interlocked.Increment(ref next)) < probes.Length)
                {
                    stopping.ThrowIfCancellationRequested();
                    for (int s = 0; s < strata.Count; s++)
                        own[s, i] = best[s, i] = -1;
                    Judge(analyzer, probe, i);
                    report(Interlocked.Increment(ref done));
                }
            });
            return 0;
        });
        run.TookData(gallery.DataSha256, references.Samples.Count + probes.Length, enrolled.Length + others.Length);

        var rows = new List<IReadOnlyList<ReportCell>>();
        var series = new List<ReportSeries>();
        double[] grid = [.. Enumerable.Range(0, 71).Select(t => t / 100.0)];
        for (int s = 0; s < strata.Count; s++)
        {
            float[] mated = [.. Enumerable.Range(0, enrolled.Length).Where(gallery.IsAcquired).Select(i => own[s, i])];
            float[] nonMated = [.. Enumerable.Range(enrolled.Length, others.Length).Select(i => best[s, i])];
            var lost = new Proportion(Enumerable.Range(0, probes.Length).Count(i => best[s, i] <= -1), probes.Length);
            var found = new Proportion(mated.Count(m => m >= (float)threshold), mated.Length);
            var wrong = new Proportion(nonMated.Count(m => m >= (float)threshold), nonMated.Length);
            Interval? foundInterval = found.Total > 0 ? found.Wilson() : null, wrongInterval = wrong.Total > 0 ? wrong.ClopperPearson() : null;
            float[] sorted = [.. mated.Where(m => m > -1).Order()];
            rows.Add([strata[s].Name, lost.Rate, found.Rate, foundInterval?.Low, foundInterval?.High, found.Count, found.Total, wrong.Rate, wrongInterval?.Low, wrongInterval?.High, wrong.Count, wrong.Total,
                sorted.Length > 0 ? sorted[sorted.Length / 2] : (double?)null]);
            series.Add(new ReportSeries(strata[s].Name, grid, [.. grid.Select(t => (double)mated.Count(m => m >= (float)t) / mated.Length)]));
        }
        run.Figures.Add(new ReportFigure("galleryPeople", "People enrolled", gallery.Outcomes.Count(o => o.State == Acquisition.Acquired)));
        run.Tables.Add(new ReportTable("strata", $"At threshold {threshold}: one probe per person; a face that is not found counts as missed",
            ["stratum", "FTA", "TPIR", "low", "high", "found", "of", "FPIR", "low", "high", "false", "of", "median mated score"], rows));
        foreach (IGrouping<string, (int Index, Stratum Item)> kind in strata.Index().Skip(1).GroupBy(s => s.Item.Kind))
            run.Curves.Add(new ReportCurve($"tpir-{kind.Key}", $"TPIR over the threshold: {kind.Key}", new ReportAxis("threshold"), new ReportAxis("TPIR"), [series[0], .. kind.Select(s => series[s.Index])]));

        void Judge(StillAnalyzer analyzer, TemplateSet probe, int i)
        {
            try
            {
                using HostBuffer<byte>? file = TemplateExtractor.ReadFile(probes[i].Path, out string problem);
                if (file is null)
                {
                    Fail(problem);
                    return;
                }
                using (MediaFrame decoded = MediaReader.ReadPicture(file.Span))
                {
                    FrameView view = FrameLease.ViewOf(decoded);
                    ReadOnlySpan<FaceCandidate> faces = analyzer.Detect(view);
                    using StillFace? face = faces.IsEmpty ? null : analyzer.Embed(view, TemplateExtractor.NearestToCentre(faces, view));
                    if (face is null)
                    {
                        Fail("no face found in the uncovered image");
                        return;
                    }
                    Landmarks5 points = face.Landmarks.Points;
                    using var plain = new Picture(view.Width, view.Height);
                    plain.Paint(view, new FaceBox(0, 0, view.Width, view.Height), 0, view.Width);
                    for (int s = 0; s < strata.Count; s++)
                    {
                        using Picture harder = strata[s].Apply(plain, points, SeededRandom.For(run.Seed, $"{strata[s].Name} {probes[i].Name}"));
                        if (TemplateExtractor.Embed(analyzer, harder.View, probe[0]).State == Acquisition.Acquired)
                            Compare(probe, s, i);
                    }
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

        unsafe void Compare(TemplateSet probe, int s, int i)
        {
            for (int g = 0; g < gallery.Count; g++)
            {
                // Without a template there is nothing to resemble.
                if (!gallery.IsAcquired(g))
                    continue;
                float score = Matching.ScoreMatrix.Score(probe.Pointer, gallery.Pointer + ((long)g * gallery.Stride), gallery.Stride);
                best[s, i] = Math.Max(best[s, i], score);
                if (g == i)
                    own[s, i] = score;
            }
        }
    }
}
