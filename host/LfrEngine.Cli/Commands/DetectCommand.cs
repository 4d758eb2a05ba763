using System.Diagnostics;
using System.Globalization;
using LfrEngine.Detection;
using LfrEngine.Evaluation.Detection;
using LfrEngine.Frames;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr detect FOLDER</c>: recall by size and unmatched boxes on labelled pictures.</summary>
internal static class DetectCommand
{
    public static Command Create()
    {
        var folder = new Argument<DirectoryInfo>("FOLDER") { Description = "Folder with images/ and annotations/*.xml (Pascal VOC) or labelv2.txt (WIDER FACE)." };
        var score = new Option<float?>("--score") { Description = "Measure the detector alone, with this minimum score. Default: further networks judge its candidates." }.From(0, 1);
        var grid = PipelineOptions.Grid("Long side of the detection grid, pixels; larger pictures are scaled down to it.");
        var plain = new Option<bool>("--single-scale") { Description = "Skip the second pass at half size." };
        ModelOptions models = new();
        var json = new Option<bool>("--json") { Description = "Print JSON (docs/json.md)." };
        var command = new Command("detect", "Measure detection on labelled pictures.") { folder, score, grid, plain, json };
        models.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            float? alone = parsed.GetValue(score);
            var settings = new DetectorSettings { GridLongSide = parsed.GetValue(grid) };
            if (parsed.GetValue(plain))
                settings = settings with { HalfSizePasses = 0 };
            EngineModels loaded = models.Load(parsed);
            // Detectors to which the further networks were not fitted are measured alone.
            bool judged = alone is null && FaceVerifier.Knows(loaded.Detector.Manifest);
            settings = settings with { MinimumScore = judged ? FaceVerifier.CandidateScore : alone ?? settings.MinimumScore };
            return Task.FromResult(Run(parsed.GetRequiredValue(folder), settings, judged, loaded, parsed.GetValue(json), stopping));
        });
        return command;
    }

    private static int Run(DirectoryInfo folder, DetectorSettings settings, bool judged, EngineModels models, bool json, CancellationToken stopping)
    {
        using (models)
        {
            (IReadOnlyList<LabelledPicture> pictures, IReadOnlyList<string> missing) = BoxTruth.Read(folder.FullName);
            var unreadable = new List<string>();
            var score = new DetectionScore();
            double milliseconds = 0;
            ProgressBar.While("Detecting", pictures.Count, report =>
            {
                using var analyzer = new StillAnalyzer(models, settings);
                for (int i = 0; i < pictures.Count; i++)
                {
                    stopping.ThrowIfCancellationRequested();
                    try
                    {
                        Judge(pictures[i]);
                    }
                    catch (MediaException e)
                    {
                        unreadable.Add($"{Path.GetFileName(pictures[i].Path)}: {e.Message}");
                    }
                    report(i + 1);
                }
                return 0;

                void Judge(LabelledPicture labelled)
                {
                    using MediaReader reader = MediaReader.Open(labelled.Path);
                    if (reader.Read(out MediaFrame? picture) != DecodeResult.Frame)
                    {
                        unreadable.Add($"{Path.GetFileName(labelled.Path)}: no picture in the file");
                        return;
                    }
                    using (picture)
                    {
                        FrameView view = FrameLease.ViewOf(picture!);
                        // Once to prepare this size, once to time it.
                        Find(view);
                        long started = Stopwatch.GetTimestamp();
                        ReadOnlySpan<FaceCandidate> faces = Find(view);
                        milliseconds += Stopwatch.GetElapsedTime(started).TotalMilliseconds;
                        score.Add(labelled.Faces, faces);
                    }
                }

                ReadOnlySpan<FaceCandidate> Find(in FrameView view) => judged ? analyzer.DetectJudged(view, FaceVerifier.MinimumEvidence) : analyzer.Detect(view);
            });
            if (score.Pictures == 0)
                throw new CommandFailure(ExitCode.Input, $"None of the {pictures.Count} labelled pictures can be read; the first: {unreadable[0]}");
            var sizes = score.BySize().Select(s => new SizeRecall(s.Size, s.Found, s.Labelled, s.Labelled == 0 ? null : (double)s.Found / s.Labelled)).ToArray();
            var result = new DetectReport(models.Detector.Manifest.Id, settings.MinimumScore, judged, settings.GridLongSide, score.Pictures, sizes, score.UnmatchedPer100, milliseconds / score.Pictures,
                missing.Count, unreadable.Count);
            if (json)
            {
                CliJson.Print(result, CliJson.Default.DetectReport);
                return ExitCode.Success;
            }
            AnsiConsole.WriteLine($"{new Counted(result.Pictures):picture|pictures}, detector {result.Detector}, score >= {result.MinimumScore}{(judged ? $", judged by {models.Second.Manifest.Id} and {models.Third.Manifest.Id}" : "")}, IoU >= {DetectionScore.MatchIoU}");
            foreach (SizeRecall size in sizes)
                AnsiConsole.WriteLine($"recall {size.Pixels,6} px   {size.Recall?.ToString("0.000", CultureInfo.InvariantCulture) ?? "  -  "}  ({size.Found} of {size.Labelled})");
            AnsiConsole.WriteLine($"unmatched boxes    {result.UnmatchedPer100Pictures:0.0} per 100 pictures (from {DetectionScore.SmallestUnmatched} px)");
            AnsiConsole.WriteLine($"time               {result.MillisecondsPerPicture:0.0} ms per picture on one thread");
            if (missing.Count > 0)
                AnsiConsole.WriteLine($"missing            {missing.Count} labelled pictures are not in images/; the first is {missing[0]}");
            foreach (string one in unreadable)
                AnsiConsole.WriteLine($"unreadable         {one}");
            return ExitCode.Success;
        }
    }
}

/// <summary>Recall of one band of face sizes; null if there are no labelled faces.</summary>
internal sealed record SizeRecall(string Pixels, int Found, int Labelled, double? Recall);

/// <summary>Result of <c>lfr detect</c>.</summary>
internal sealed record DetectReport(string Detector, float MinimumScore, bool Judged, int GridLongSide, int Pictures, SizeRecall[] BySize, double UnmatchedPer100Pictures, double MillisecondsPerPicture,
    int MissingPictures, int UnreadablePictures);
