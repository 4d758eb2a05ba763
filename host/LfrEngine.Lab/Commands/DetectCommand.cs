using System.Security.Cryptography;
using System.Text;
using LfrEngine.Detection;
using LfrEngine.Evaluation.Detection;
using LfrEngine.Frames;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab detect FOLDER</c>: recall and false boxes by size, average precision.</summary>
internal static class DetectCommand
{
    public static Command Create()
    {
        var folder = new Argument<DirectoryInfo>("FOLDER") { Description = "Folder with images/ and annotations/*.xml (Pascal VOC) or labelv2.txt (WIDER FACE)." };
        var options = new LabOptions();
        var command = new Command("detect", "Detection: recall by size, unmatched boxes, average precision.") { folder };
        options.AddTo(command, images: false);
        command.SetAction((parsed, stopping) =>
        {
            using LabRun run = options.Start(parsed, "detect", "Detection");
            Run(run, parsed.GetRequiredValue(folder).FullName, stopping);
            return Task.FromResult(run.Finish());
        });
        return command;
    }

    private static void Run(LabRun run, string folder, CancellationToken stopping)
    {
        (IReadOnlyList<LabelledPicture> pictures, IReadOnlyList<string> missing) = BoxTruth.Read(folder);
        run.Failures.AddRange(missing.Select(m => new ReportFailure(m, "missing", "labelled, but not in images/")));
        // The curve needs candidates far below the threshold; recall by size is reported at the engine's threshold.
        bool judged = FaceVerifier.Knows(run.Models.Detector.Manifest);
        float standard = judged ? FaceVerifier.Probability(FaceVerifier.MinimumEvidence) : new DetectorSettings().MinimumScore;
        var curve = new DetectionScore();
        var standing = new DetectionScore();
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ProgressBar.While("Detecting", pictures.Count, report =>
        {
            using var analyzer = new StillAnalyzer(run.Models, new DetectorSettings { MinimumScore = FaceVerifier.CandidateScore });
            foreach ((int i, LabelledPicture labelled) in pictures.Index())
            {
                stopping.ThrowIfCancellationRequested();
                hash.AppendData(Encoding.UTF8.GetBytes($"{Path.GetFileName(labelled.Path)} {PackageCache.HashOf(labelled.Path)} {string.Join(' ', labelled.Faces)}\n"));
                try
                {
                    using MediaReader reader = MediaReader.Open(labelled.Path);
                    if (reader.Read(out MediaFrame? picture) == DecodeResult.Frame)
                    {
                        using (picture)
                        {
                            FrameView view = FrameLease.ViewOf(picture!);
                            FaceCandidate[] found = (judged ? analyzer.DetectJudged(view, float.NegativeInfinity) : analyzer.Detect(view)).ToArray();
                            curve.Add(labelled.Faces, found);
                            standing.Add(labelled.Faces, [.. found.Where(f => f.Score >= standard)]);
                        }
                    }
                    else
                    {
                        run.Failures.Add(new ReportFailure(Path.GetFileName(labelled.Path), "unreadable", "no picture in the file"));
                    }
                }
                catch (MediaException e)
                {
                    run.Failures.Add(new ReportFailure(Path.GetFileName(labelled.Path), "unreadable", e.Message));
                }
                report(i + 1);
            }
            return 0;
        });
        if (standing.Pictures == 0)
            throw new CommandFailure(ExitCode.Input, $"None of the {pictures.Count} labelled pictures can be read; for example {run.Failures[^1].Name}: {run.Failures[^1].Reason}");
        run.TookData(Convert.ToHexStringLower(hash.GetHashAndReset()), pictures.Count, 0);
        foreach ((string size, int found, int labelled) in standing.BySize())
        {
            var recall = new Proportion(found, labelled);
            run.Figures.Add(ReportFigure.Of($"recall.{size}", $"Recall of faces of {size} pixels, score ≥ {standard:0.##}", new MeasuredRate(recall, recall.Wilson())));
        }
        run.Figures.Add(new ReportFigure("unmatchedPer100", $"Unmatched boxes per 100 pictures (from {DetectionScore.SmallestUnmatched} px)", standing.UnmatchedPer100));
        run.Figures.Add(new ReportFigure("averagePrecision", $"Average precision, faces from {DetectionScore.SmallestUnmatched} px, IoU ≥ {DetectionScore.MatchIoU}", curve.AveragePrecision,
            Note: $"over candidates from {FaceVerifier.CandidateScore:0.##}{(judged ? ", judged by further networks" : "")}"));
        (IReadOnlyList<(float Score, bool IsFace)> boxes, int faces) = curve.Ranking;
        var recalls = new List<double>();
        var precisions = new List<double>();
        int matched = 0;
        for (int i = 0; i < boxes.Count; i++)
        {
            matched += boxes[i].IsFace ? 1 : 0;
            recalls.Add((double)matched / Math.Max(1, faces));
            precisions.Add((double)matched / (i + 1));
        }
        run.Curves.Add(new ReportCurve("precision-recall", "Precision over recall", new ReportAxis("recall"), new ReportAxis("precision"), [new ReportSeries("all sizes", recalls, precisions)]));
    }
}
