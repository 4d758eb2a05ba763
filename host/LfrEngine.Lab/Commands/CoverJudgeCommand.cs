using System.Text;
using System.Text.Json;
using LfrEngine.Alignment;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Evaluation.Cover;
using LfrEngine.Evaluation.Detection;
using LfrEngine.Files;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab cover-judge DATA --masks FOLDER</c>: fits the judgement of cover on half of the people and pictures, and measures it on the other half.</summary>
internal static class CoverJudgeCommand
{
    private static readonly string[] s_parts = ["lower face", "eyes", "brow"];

    public static Command Create()
    {
        var data = new Argument<string>("DATA") { Description = "Folder with one sub-folder of images per person, or a CSV (file, subject, …). Covers are drawn on them." };
        var masks = new Option<DirectoryInfo?>("--masks") { Description = "Pictures of faces with real masks: images/ and annotations/*.xml with the classes con_mascarilla (mask) and sin_mascarilla (none)." };
        var write = new Option<FileInfo?>("--write") { Description = "File for the weights: engine/LfrEngine/Cover/cover-judge.json." };
        var people = new Option<int>("--people") { Description = "Maximum number of people in each half.", DefaultValueFactory = _ => 1000 }.From(1);
        var options = new LabOptions();
        var command = new Command("cover-judge", "Fit the judgement of which parts of a face are covered, and measure it on other people.") { data, masks, write, people };
        options.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            using LabRun run = options.Start(parsed, "cover-judge", "Judgement of cover", (parsed.GetValue(write), "--write"));
            FaceDataSet all = FaceDataSet.Read(Path.GetFullPath(parsed.GetRequiredValue(data)), options.Excluded(parsed));
            Run(run, all, parsed.GetValue(masks)?.FullName, parsed.GetValue(people), parsed.GetValue(write)?.FullName, stopping);
            return Task.FromResult(run.Finish());
        });
        return command;
    }

    private static void Run(LabRun run, FaceDataSet data, string? masks, int most, string? write, CancellationToken stopping)
    {
        Sample[] firsts = [.. data.Samples.GroupBy(s => s.Subject).Select(g => g.First())];
        Sample[] fitting = [.. firsts.Where(s => FaceDataSet.HalfOf(s.Subject) == 0).Take(most)], kept = [.. firsts.Where(s => FaceDataSet.HalfOf(s.Subject) == 1).Take(most)];
        // A quarter of the first half is held out to set the scale of the probabilities.
        Sample[] scale = [.. fitting.Where(s => SeededRandom.For(run.Seed, s.Subject).Next(4) == 0)], learn = [.. fitting.Except(scale)];
        if (learn.Length == 0 || kept.Length == 0)
            throw new CommandFailure(ExitCode.Input, $"{new Counted(data.Subjects.Count):person is|people are} too few: each half needs some, and in the first half not all may be used for the scale.");
        run.TookData("", fitting.Length + kept.Length, fitting.Length + kept.Length);
        (FaceCover? Real, FaceBox Box, string Path)[] real = masks is null ? [] : [.. RealFaces(masks)];
        (FaceCover? Real, FaceBox Box, string Path)[] realFitting = [.. real.Where(r => FaceDataSet.HalfOf(Path.GetFileName(r.Path)) == 0)], realKept = [.. real.Except(realFitting)];
        (FaceCover? Real, FaceBox Box, string Path)[] realScale = [.. realFitting.Where(r => SeededRandom.For(run.Seed, Path.GetFileName(r.Path)).Next(4) == 0)], realLearn = [.. realFitting.Except(realScale)];

        using CoverSamples learning = Collect(run, "Drawing covers to learn from", learn, realLearn, CoverTask.Painted, augment: true, stopping);
        using CoverSamples scaling = Collect(run, "Drawing covers for the scale", scale, realScale, CoverTask.Painted, augment: true, stopping);
        CoverWeights fitted = CoverFit.Fit(learning, scaling, run.Seed, stopping);
        using CoverSamples tested = Collect(run, "Drawing the laboratory's covers on others", kept, realKept, CoverTask.OfTheLaboratory, augment: false, stopping);

        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
            fitted.Write(writer);
        // Read back, because writing rounds them.
        CoverWeights weights = CoverWeights.Read(json.ToArray());
        Report(run, tested, weights);
        if (write is not null)
            Write(write, json.ToArray());
    }

    private static void Write(string path, byte[] json)
    {
        try
        {
            OutputFile.Write(path, $"{Encoding.UTF8.GetString(json)}\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Output, $"The weights cannot be written to {path}: {FileTrouble.Words(e)}", e);
        }
    }

    private static void Report(LabRun run, CoverSamples tested, CoverWeights weights)
    {
        CoverJudgement[] judged = [.. Enumerable.Range(0, tested.Count).Select(i => CoverJudge.Judge(tested[i], weights))];
        int[] there = [.. Enumerable.Range(0, tested.Count).Where(i => tested.Group(i).Length > 0)];
        float Probability(int i, int part) => part switch { 0 => judged[i].LowerFace, 1 => judged[i].Eyes, _ => judged[i].Brow };
        foreach ((string name, bool real) in (ReadOnlySpan<(string, bool)>)[("drawn", false), ("real", true)])
        {
            for (int part = 0; part < s_parts.Length; part++)
            {
                (float Probability, int Label)[] known = [.. there.Where(i => tested.Group(i).StartsWith("real", StringComparison.Ordinal) == real && tested.Label(i, part) >= 0).Select(i => (Probability(i, part), tested.Label(i, part)))];
                if (known.Length == 0 || (real && part > 0))
                    continue;
                string id = s_parts[part].Replace(" ", "", StringComparison.Ordinal);
                run.Figures.Add(new ReportFigure($"auc.{name}.{id}", $"Area under the curve: {s_parts[part]}, {name} covers", ProbabilityScore.AreaUnderCurve(known), Count: known.Count(k => k.Label == 1), Total: known.Length));
                run.Figures.Add(new ReportFigure($"calibrationError.{name}.{id}", $"Expected calibration error: {s_parts[part]}, {name} covers", ProbabilityScore.CalibrationError(known)));
            }
        }
        var rows = new List<IReadOnlyList<ReportCell>>();
        foreach (IGrouping<string, int> group in there.GroupBy(tested.Group))
        {
            int total = group.Count();
            var row = new List<ReportCell> { group.Key, total };
            for (int part = 0; part < s_parts.Length; part++)
                row.Add((double)group.Count(i => Probability(i, part) >= CoverJudgement.Limit) / total);
            row.Add((double)group.Count(i => judged[i].Parts != FaceCover.None) / total);
            rows.Add(row);
        }
        run.Tables.Add(new ReportTable("judged", $"Share of faces judged covered (probability of {CoverJudgement.Limit} or more), people not used for fitting", ["cover", "faces", .. s_parts, "any"], rows));
    }

    private static IEnumerable<(FaceCover? Real, FaceBox Box, string Path)> RealFaces(string folder)
    {
        foreach (LabelledPicture picture in BoxTruth.Read(folder).Pictures)
        {
            for (int i = 0; i < picture.Faces.Length; i++)
            {
                FaceCover? cover = picture.Labels[i] switch { "con_mascarilla" => FaceCover.LowerFace, "sin_mascarilla" => FaceCover.None, _ => null };
                if (cover is not null && picture.Faces[i].Width >= 20)
                    yield return (cover, picture.Faces[i], picture.Path);
            }
        }
    }

    private static CoverSamples Collect(LabRun run, string what, Sample[] people, (FaceCover? Real, FaceBox Box, string Path)[] real, IReadOnlyList<CoverTask> tasks, bool augment, CancellationToken stopping)
    {
        // For fitting, each real face is used several times: unchanged and in degraded pictures.
        int realLooks = augment ? 4 : 1;
        var samples = new CoverSamples((people.Length * tasks.Count) + (real.Length * realLooks));
        try
        {
            ProgressBar.While(what, people.Length + real.Length, report => TemplateExtractor.OnAllProcessors(() => new CoverLooker(run.Models), people.Length + real.Length, Look, report, stopping));
            return samples;
        }
        catch
        {
            samples.Dispose();
            throw;
        }

        void Look(CoverLooker looker, int i)
        {
            string path = i < people.Length ? people[i].Path : real[i - people.Length].Path;
            var random = SeededRandom.For(run.Seed, $"{Path.GetFileName(path)} {i}");
            try
            {
                using HostBuffer<byte>? file = TemplateExtractor.ReadFile(path, out string problem);
                if (file is null)
                {
                    Fail(path, problem);
                    return;
                }
                using MediaFrame decoded = MediaReader.ReadPicture(file.Span);
                FrameView view = FrameLease.ViewOf(decoded);
                if (i < people.Length)
                    looker.LookAtPerson(view, tasks, augment, random, samples, i * tasks.Count);
                else
                    looker.LookAtReal(view, real[i - people.Length].Box, real[i - people.Length].Real!.Value, realLooks, random, samples, (people.Length * tasks.Count) + ((i - people.Length) * realLooks));
            }
            catch (MediaException e)
            {
                Fail(path, e.Message);
            }
        }

        void Fail(string path, string reason)
        {
            lock (run.Failures)
                run.Failures.Add(new ReportFailure(Path.GetFileName(path), "unreadable", reason));
        }
    }
}

/// <summary>One way of covering a face.</summary>
/// <param name="Name">Name in tables.</param>
/// <param name="Known">Per part: 1 covered, 0 not, −1 unknown.</param>
/// <param name="Kinds">Covers drawn by the engine's painter.</param>
/// <param name="Stratum">Cover drawn by the laboratory instead; null for the engine's painter.</param>
internal sealed record CoverTask(string Name, sbyte[] Known, CoverKind[] Kinds, Stratum? Stratum = null)
{
    /// <summary>Covers drawn by the painter used at enrolment.</summary>
    public static IReadOnlyList<CoverTask> Painted { get; } =
    [
        Of(), Of(), Of(), Of(CoverKind.SurgicalMask), Of(CoverKind.Respirator), Of(CoverKind.ClothMask), Of(CoverKind.Scarf), Of(CoverKind.Sunglasses), Of(CoverKind.Sunglasses),
        Of(CoverKind.Cap), Of(CoverKind.KnittedHat), Of(CoverKind.ClothMask, CoverKind.Cap), Of(CoverKind.Scarf, CoverKind.KnittedHat), Of(CoverKind.Sunglasses, CoverKind.Cap), Of(CoverKind.SurgicalMask, CoverKind.Sunglasses),
    ];

    /// <summary>Covers drawn by the laboratory, with other shapes and colours.</summary>
    public static IReadOnlyList<CoverTask> OfTheLaboratory { get; } =
    [
        // A hand hides part of the lower face, hair part of the brow. It is undefined whether that counts as covered.
        .. Stratum.All.Where(s => s.Kind is "none" or "cover").Select(s => new CoverTask(s.Name, Labels(s.Hides, s.Name switch { "hand" => FaceCover.LowerFace, "hair" => FaceCover.Brow, _ => FaceCover.None }), [], s)),
    ];

    private static CoverTask Of(params CoverKind[] kinds)
    {
        FaceCover parts = kinds.Aggregate(FaceCover.None, (p, k) => p | k.Parts());
        return new CoverTask(kinds.Length == 0 ? "none" : string.Join(" + ", kinds), Labels(parts, FaceCover.None), kinds);
    }

    private static sbyte[] Labels(FaceCover covered, FaceCover unknown) =>
        [.. new[] { FaceCover.LowerFace, FaceCover.Eyes, FaceCover.Brow }.Select(p => (sbyte)(unknown.HasFlag(p) ? -1 : covered.HasFlag(p) ? 1 : 0))];
}

/// <summary>Draws covers on faces, degrades them and measures their features. Used by one thread.</summary>
internal sealed unsafe class CoverLooker(EngineModels models) : IDisposable
{
    private readonly StillAnalyzer analyzer = new(models, StillAnalyzer.StillSettings);
    private readonly LandmarkFinder landmarks = new(models.Landmarks);
    private readonly CoverPainter painter = new();
    private readonly HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
    private readonly HostBuffer<PointF> points = BufferPool.Rent<PointF>(LandmarkFinder.PointCount);

    public void LookAtPerson(in FrameView view, IReadOnlyList<CoverTask> tasks, bool augment, SeededRandom random, CoverSamples samples, int place)
    {
        ReadOnlySpan<FaceCandidate> faces = analyzer.Detect(view);
        if (faces.IsEmpty)
            return;
        FaceBox box = TemplateExtractor.NearestToCentre(faces, view).Box;
        FaceLandmarks found = landmarks.Find(view, box, points.Span);
        using Picture plain = Stratum.Scaled(view, view.Width, view.Height);
        for (int t = 0; t < tasks.Count; t++)
        {
            CoverTask task = tasks[t];
            using Picture drawn = task.Stratum is { } stratum ? stratum.Apply(plain, found.Points, random) : plain.Copy();
            foreach (CoverKind kind in task.Kinds)
                painter.TryPaint(drawn, points.Span, kind, random.Next(int.MaxValue));
            if (Measure(drawn.View, box, found.Points.InterEyePixels, augment, random, samples[place + t]))
                samples.Mark(place + t, task.Name, task.Known);
        }
    }

    public void LookAtReal(in FrameView view, in FaceBox labelled, FaceCover cover, int looks, SeededRandom random, CoverSamples samples, int place)
    {
        FaceBox? box = null;
        foreach (FaceCandidate face in analyzer.Detect(view))
        {
            if (face.Box.IoU(labelled) >= 0.4f)
                box = face.Box;
        }
        if (box is not { } matched)
            return;
        FaceLandmarks found = landmarks.Find(view, matched, points.Span);
        for (int look = 0; look < looks; look++)
        {
            if (Measure(view, matched, found.Points.InterEyePixels, augment: look > 0, random, samples[place + look]))
                samples.Mark(place + look, cover == FaceCover.None ? "real, none" : "real mask", [(sbyte)(cover == FaceCover.None ? 0 : 1), -1, -1]);
        }
    }

    public void Dispose()
    {
        analyzer.Dispose();
        landmarks.Dispose();
        painter.Dispose();
        crop.Dispose();
        points.Dispose();
    }

    private bool Measure(in FrameView view, in FaceBox box, float eyes, bool augment, SeededRandom random, Span<float> features)
    {
        if (!augment)
            return Measure(view, box, features, null);
        // Faces in a street have 10 to 60 pixels between the eyes.
        float scale = Math.Min(1, (float)(10 * Math.Pow(6, random.NextDouble())) / Math.Max(1, eyes)), shift = 0.06f * box.Width;
        var moved = new FaceBox(box.Left + Jitter(), box.Top + Jitter(), box.Right + Jitter(), box.Bottom + Jitter());
        // Only the surroundings of the face, because pictures of crowds are large.
        FaceBox around = Tracking.BestShotSelector.Surroundings(moved);
        int side = Math.Max(16, (int)(around.Width * scale));
        using var small = new Picture(side, side);
        small.Paint(view, around, 0, side);
        float at = side / around.Width;
        return Measure(small.View, new FaceBox((moved.Left - around.Left) * at, (moved.Top - around.Top) * at, (moved.Right - around.Left) * at, (moved.Bottom - around.Top) * at), features, random);

        float Jitter() => (float)(shift * random.NextNormal());
    }

    private bool Measure(in FrameView view, in FaceBox box, Span<float> features, SeededRandom? worse)
    {
        FaceLandmarks found = landmarks.Find(view, box);
        if (!AlignmentTransform.TryEstimate(found.Points, out AlignmentTransform alignment))
            return false;
        ModelInput input = models.Embedder.Manifest.Input;
        FaceAligner.Align(view, alignment, input, crop.Pointer);
        if (worse is not null)
            Worsen(input, worse);
        CoverFeatures.Measure(crop.Pointer, input, features);
        crop.Wipe();
        return true;
    }

    // Brightness, white balance and noise; some cameras have no colour.
    private void Worsen(ModelInput input, SeededRandom random)
    {
        const int Plane = AlignmentTransform.GridSize * AlignmentTransform.GridSize;
        bool grey = random.Next(8) == 0;
        double gain = 0.35 * Math.Pow(4, random.NextDouble()), noise = random.Next(2) == 0 ? 0 : 12 * random.NextDouble();
        double[] cast = [1 + (0.07 * random.NextNormal()), 1, 1 + (0.07 * random.NextNormal())];
        for (int i = 0; i < Plane; i++)
        {
            double same = noise * random.NextNormal();
            float green = crop.Pointer[Plane + i];
            for (int channel = 0; channel < 3; channel++)
            {
                float* at = crop.Pointer + (channel * Plane) + i;
                double value = ((grey ? green : *at) / input.Scale[channel]) + input.Mean[channel];
                value = Math.Clamp((value * gain * (grey ? 1 : cast[channel])) + same, 0, 255);
                *at = (float)((value - input.Mean[channel]) * input.Scale[channel]);
            }
        }
    }
}
