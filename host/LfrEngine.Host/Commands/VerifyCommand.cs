using System.CommandLine;
using System.Diagnostics;
using LfrEngine.Evaluation.Verification;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using Spectre.Console;

namespace LfrEngine.Host.Commands;

/// <summary><c>lfr verify PAIRS</c>: one-to-one accuracy by the LFW protocol, through the engine's own code path.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var pairs = new Argument<FileInfo>("PAIRS") { Description = "Pair list in the form of LFW's pairs.txt." };
        var images = new Option<DirectoryInfo?>("--images") { Description = "Folder of NAME/NAME_0001.jpg; default: images/ beside the list." };
        ModelOptions models = new();
        var json = new Option<bool>("--json") { Description = "Print JSON (docs/json.md)." };
        var command = new Command("verify", "Measure one-to-one accuracy on a pair list (LFW protocol).") { pairs, images, json };
        models.AddTo(command);
        command.SetAction((parsed, stopping) => Task.FromResult(Run(
            parsed.GetRequiredValue(pairs), parsed.GetValue(images), models.Load(parsed), parsed.GetValue(json), stopping)));
        return command;
    }

    private static int Run(FileInfo list, DirectoryInfo? images, EngineModels models, bool json, CancellationToken stopping)
    {
        using (models)
        {
            if (!list.Exists)
                throw new CommandFailure(ExitCode.Input, $"The pair list {list.FullName} does not exist.");
            string folder = images?.FullName ?? Path.Combine(list.DirectoryName!, "images");
            if (!Directory.Exists(folder))
                throw new CommandFailure(ExitCode.Input, $"The image folder {folder} does not exist; give it with --images.");
            IReadOnlyList<ImagePair> pairs;
            try
            {
                pairs = LfwPairs.Read(list.FullName);
            }
            catch (FormatException e)
            {
                throw new CommandFailure(ExitCode.Input, e.Message, e);
            }
            var verifier = new PairVerifier(models, folder);
            int total = pairs.SelectMany(p => new[] { p.First, p.Second }).Distinct().Count();
            long started = Stopwatch.GetTimestamp();
            float[] scores = Progress.While("Embedding", total, report => verifier.Compare(pairs, report, stopping));
            double perSecond = total / Stopwatch.GetElapsedTime(started).TotalSeconds;
            VerificationResult result = VerificationResult.Compute(pairs, scores);
            ModelManifest embedder = models.Embedder.Manifest;
            var report = new VerifyReport(embedder.Id, embedder.Sha256, result.Mated, result.NonMated, total, verifier.Failures.Count,
                result.Accuracy, result.AccuracyDeviation, result.MeanThreshold, result.TmrAtFmr001, result.ThresholdAtFmr001, perSecond);
            if (json)
            {
                HostJson.Print(report, HostJson.Default.VerifyReport);
                return ExitCode.Success;
            }
            AnsiConsole.WriteLine($"{result.Mated} mated and {result.NonMated} non-mated pairs, {total} images, embedder {embedder.Id}");
            AnsiConsole.WriteLine($"accuracy             {result.Accuracy:P2} ± {result.AccuracyDeviation:P2} over folds (each judged at the threshold best on the others; mean {result.MeanThreshold:0.000})");
            AnsiConsole.WriteLine($"TMR at FMR 10^-3     {result.TmrAtFmr001:P2} (threshold {result.ThresholdAtFmr001:0.0000})");
            AnsiConsole.WriteLine($"failures to acquire  {verifier.Failures.Count} of {total} images (their pairs count as rejected)");
            AnsiConsole.WriteLine($"speed                {perSecond:0.0} images per second on {Environment.ProcessorCount} processors");
            foreach ((string image, string reason) in verifier.Failures.OrderBy(f => f.Key, StringComparer.Ordinal).Take(20))
                AnsiConsole.WriteLine($"  {image}: {reason}");
            return ExitCode.Success;
        }
    }
}

/// <summary>Result of <c>lfr verify</c>.</summary>
internal sealed record VerifyReport(string Embedder, string EmbedderSha256, int MatedPairs, int NonMatedPairs, int Images, int FailuresToAcquire,
    double Accuracy, double AccuracyDeviation, double MeanThreshold, double TmrAtFmr001, double ThresholdAtFmr001, double ImagesPerSecond);
