using System.Diagnostics;
using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Evaluation.Templates;
using LfrEngine.Evaluation.Verification;
using LfrEngine.Models;
using LfrEngine.Pipeline;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr verify PAIRS</c>: measures one-to-one accuracy with the LFW protocol, on the engine's code path.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var pairs = new Argument<string>("PAIRS") { Description = "Pair list in the format of LFW's pairs.txt; or a folder with one sub-folder of images per person, to compare all with all." };
        var exclude = new Option<string[]>("--exclude") { Description = "With a folder: sub-folders to leave out (label errors).", AllowMultipleArgumentsPerToken = true };
        var images = new Option<DirectoryInfo?>("--images") { Description = "Folder of NAME/NAME_0001.jpg; default: images/ next to the list." };
        ModelOptions models = new();
        var json = new Option<bool>("--json") { Description = "Print JSON (docs/json.md)." };
        var command = new Command("verify", "Measure one-to-one accuracy on a pair list (LFW protocol).") { pairs, images, exclude, json };
        models.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            string path = Path.GetFullPath(parsed.GetRequiredValue(pairs));
            return Task.FromResult(Directory.Exists(path)
                ? RunAll(path, parsed.GetValue(exclude) ?? [], models.Load(parsed), parsed.GetValue(json), stopping)
                : Run(new FileInfo(path), parsed.GetValue(images), models.Load(parsed), parsed.GetValue(json), stopping));
        });
        return command;
    }

    // The threshold is set on one half of the people and reported on the other; the halves are chosen by a hash of the folder's name.
    private static int RunAll(string folder, string[] exclude, EngineModels models, bool json, CancellationToken stopping)
    {
        const double WantedFmr = 1e-5;
        using (models)
        {
            FaceDataSet data = FaceDataSet.Read(folder, exclude);
            using TemplateSet templates = ProgressBar.While("Embedding", data.Samples.Count, report => new TemplateExtractor(models, cache: null).Extract(data, report, stopping));
            int failed = templates.Outcomes.Count(o => o.State != Acquisition.Acquired);
            var halves = new Grouping("half", ["0", "1"], [.. data.Samples.Select(s => FaceDataSet.HalfOf(s.Subject))]);
            using var scorer = new SimdPairScorer();
            PairCounts[] counts = AllPairs.Count(templates, data.SubjectNumbers(), [halves], scorer, (_, _) => { }, stopping).Groups[0];
            AllPairs.ThrowIfTooFew(counts[0], counts[1]);
            // In steps of 0.01, because people will type it.
            double threshold = Enumerable.Range(-100, 201).Select(s => s / 100.0).First(t => counts[0].NonMated.AtLeast(t).Rate <= WantedFmr || t >= 1);
            Proportion fmr = counts[1].NonMated.AtLeast(threshold), tmr = counts[1].Mated.AtLeast(threshold);
            var report = new AllPairsReport(models.Embedder.Manifest.Id, models.Embedder.Manifest.Sha256, data.Samples.Count, failed, threshold, WantedFmr,
                counts[0].NonMated.AtLeast(threshold).Rate, fmr.Count, fmr.Total, fmr.Rate, tmr.Total, tmr.Rate);
            if (json)
            {
                CliJson.Print(report, CliJson.Default.AllPairsReport);
                return ExitCode.Success;
            }
            AnsiConsole.WriteLine($"{new Counted(data.Samples.Count):image|images} of {new Counted(data.Subjects.Count):person|people}, {new Counted(failed):failure|failures} to acquire, embedder {report.Embedder}");
            AnsiConsole.WriteLine($"threshold  {threshold:0.00}: the smallest step of 0.01 with FMR at most {WantedFmr:0e0} on one half of the people ({report.FmrWhereSet:0.0e0})");
            AnsiConsole.WriteLine($"FMR        {report.Fmr:0.0e0} on the other half ({report.FalseMatches} of {report.NonMatedPairs} non-mated pairs)");
            AnsiConsole.WriteLine($"TMR        {report.Tmr:P2} on the other half ({report.MatedPairs} mated pairs)");
            return ExitCode.Success;
        }
    }

    private static int Run(FileInfo list, DirectoryInfo? imageFolder, EngineModels models, bool json, CancellationToken stopping)
    {
        using (models)
        {
            if (!list.Exists)
                throw new CommandFailure(ExitCode.Input, $"The pair list {list.FullName} does not exist.");
            string folder = imageFolder?.FullName ?? Path.Combine(list.DirectoryName!, "images");
            if (!Directory.Exists(folder))
                throw new CommandFailure(ExitCode.Input, $"The image folder {folder} does not exist; give it with --images.");
            IReadOnlyList<ImagePair> pairs = LfwPairs.Read(list.FullName);
            FaceDataSet images = LfwPairs.Images(pairs, folder);
            int total = images.Samples.Count;
            long started = Stopwatch.GetTimestamp();
            using TemplateSet templates = ProgressBar.While("Embedding", total, report => new TemplateExtractor(models, cache: null).Extract(images, report, stopping));
            double perSecond = total / Stopwatch.GetElapsedTime(started).TotalSeconds;
            VerificationResult result = VerificationResult.Compute(pairs, LfwPairs.Compare(pairs, images, templates));
            (string Name, string Reason)[] failures = [.. templates.Outcomes.Index().Where(o => o.Item.State != Acquisition.Acquired).Select(o => (images.Samples[o.Index].Name, o.Item.Reason))];
            ModelManifest embedder = models.Embedder.Manifest;
            var report = new VerifyReport(embedder.Id, embedder.Sha256, result.Mated, result.NonMated, total, failures.Length,
                result.Accuracy, result.AccuracyDeviation, result.MeanThreshold, result.TmrAtFmr001, result.ThresholdAtFmr001, perSecond);
            if (json)
            {
                CliJson.Print(report, CliJson.Default.VerifyReport);
                return ExitCode.Success;
            }
            AnsiConsole.WriteLine($"{result.Mated} mated and {new Counted(result.NonMated):non-mated pair|non-mated pairs}, {new Counted(total):image|images}, embedder {embedder.Id}");
            AnsiConsole.WriteLine($"accuracy             {result.Accuracy:P2} ± {result.AccuracyDeviation:P2} over folds (each judged at the threshold best on the others; mean {result.MeanThreshold:0.000})");
            AnsiConsole.WriteLine($"TMR at FMR 10^-3     {result.TmrAtFmr001:P2} (threshold {result.ThresholdAtFmr001:0.0000})");
            AnsiConsole.WriteLine($"failures to acquire  {failures.Length} of {new Counted(total):image|images} (their pairs count as rejected)");
            AnsiConsole.WriteLine($"speed                {perSecond:0.0} images per second on {new Counted(Environment.ProcessorCount):processor|processors}");
            foreach ((string image, string reason) in failures.OrderBy(f => f.Name, StringComparer.Ordinal).Take(20))
                AnsiConsole.WriteLine($"  {image}: {reason}");
            return ExitCode.Success;
        }
    }
}

/// <summary>Result of <c>lfr verify</c>.</summary>
internal sealed record VerifyReport(string Embedder, string EmbedderSha256, int MatedPairs, int NonMatedPairs, int Images, int FailuresToAcquire,
    double Accuracy, double AccuracyDeviation, double MeanThreshold, double TmrAtFmr001, double ThresholdAtFmr001, double ImagesPerSecond);

/// <summary>Result of <c>lfr verify FOLDER</c>; the threshold was set on one half of the people, the rates are the other half's.</summary>
internal sealed record AllPairsReport(string Embedder, string EmbedderSha256, int Images, int FailuresToAcquire, double Threshold, double WantedFmr, double FmrWhereSet,
    long FalseMatches, long NonMatedPairs, double Fmr, long MatedPairs, double Tmr);
