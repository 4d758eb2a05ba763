using System.CommandLine;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using LfrEngine.Evaluation.Verification;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using Spectre.Console;

namespace LfrEngine.Host.Commands;

/// <summary><c>lfr verify PAIRS</c>: one-to-one accuracy by the LFW protocol, through the engine's own code path.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var pairs = new Argument<string>("PAIRS") { Description = "Pair list in the form of LFW's pairs.txt; or a folder with one sub-folder of images per person, for all against all." };
        var exclude = new Option<string[]>("--exclude") { Description = "All against all: sub-folders to leave out (label errors).", AllowMultipleArgumentsPerToken = true };
        var images = new Option<DirectoryInfo?>("--images") { Description = "Folder of NAME/NAME_0001.jpg; default: images/ beside the list." };
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

    // The threshold is set on one half of the people and reported on the other; which half decides a hash of the folder's name.
    private static int RunAll(string folder, string[] exclude, EngineModels models, bool json, CancellationToken stopping)
    {
        const double WantedFmr = 1e-5;
        using (models)
        {
            string[] images = [.. Directory.EnumerateDirectories(folder).Where(d => !exclude.Contains(Path.GetFileName(d))).Order(StringComparer.Ordinal)
                .SelectMany(d => Directory.EnumerateFiles(d).Order(StringComparer.Ordinal)).Select(f => Path.GetRelativePath(folder, f))];
            if (images.Length < 2)
                throw new CommandFailure(ExitCode.Input, $"{folder} holds no images in sub-folders, one sub-folder per person.");
            string[] subjects = [.. images.Select(i => Path.GetDirectoryName(i)!)];
            int length = models.Embedder.Manifest.EmbeddingLength;
            using HostBuffer<float> embeddings = BufferPool.Rent<float>(images.Length * length);
            var verifier = new PairVerifier(models, folder);
            bool[] acquired = Progress.While("Embedding", images.Length, report => verifier.EmbedAll(images, embeddings, report, stopping));
            AllPairs[] halves = [.. Enumerable.Range(0, 2).Select(half => AllPairs.Count(embeddings, length, subjects,
                [.. Enumerable.Range(0, images.Length).Where(i => acquired[i] && Half(subjects[i]) == half)], stopping))];
            double threshold = halves[0].ThresholdFor(WantedFmr);
            var report = new AllPairsReport(models.Embedder.Manifest.Id, models.Embedder.Manifest.Sha256, images.Length, verifier.Failures.Count, threshold, WantedFmr,
                halves[0].Fmr(threshold), halves[1].FalseMatches(threshold), halves[1].NonMated, halves[1].Fmr(threshold), halves[1].Mated, halves[1].Tmr(threshold));
            if (json)
            {
                HostJson.Print(report, HostJson.Default.AllPairsReport);
                return ExitCode.Success;
            }
            AnsiConsole.WriteLine($"{images.Length} images of {subjects.Distinct().Count()} people, {verifier.Failures.Count} failures to acquire, embedder {report.Embedder}");
            AnsiConsole.WriteLine($"threshold  {threshold:0.00}: the smallest step of 0.01 with FMR at most {WantedFmr:0e0} on one half of the people ({report.FmrWhereSet:0.0e0})");
            AnsiConsole.WriteLine($"FMR        {report.Fmr:0.0e0} on the other half ({report.FalseMatches} of {report.NonMatedPairs} non-mated pairs)");
            AnsiConsole.WriteLine($"TMR        {report.Tmr:P2} on the other half ({report.MatedPairs} mated pairs)");
            return ExitCode.Success;
        }
    }

    private static int Half(string subject) => SHA256.HashData(Encoding.UTF8.GetBytes(subject))[0] & 1;

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

/// <summary>Result of <c>lfr verify FOLDER</c>; the threshold was set on one half of the people, the rates are the other half's.</summary>
internal sealed record AllPairsReport(string Embedder, string EmbedderSha256, int Images, int FailuresToAcquire, double Threshold, double WantedFmr, double FmrWhereSet,
    long FalseMatches, long NonMatedPairs, double Fmr, long MatedPairs, double Tmr);
