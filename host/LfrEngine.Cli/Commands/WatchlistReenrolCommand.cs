using System.Diagnostics;
using LfrEngine.Models;
using LfrEngine.Native.Hardening;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr watchlist re-enrol FILE -o NEW</c>: makes a list for another embedder from the face pictures stored in it.</summary>
internal static class WatchlistReenrolCommand
{
    private const string PartialEnding = ".partial";
    private const int MostShown = 40;

    // Saving the progress needs a derived key and a write of the whole list, so it may use at most a twentieth of the time.
    private static readonly TimeSpan LeastBetweenKeeps = TimeSpan.FromSeconds(1);
    private const int KeepCostFactor = 20;

    public static Command Create()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "Watchlist file of another embedder. It is not changed." };
        var output = new Option<FileInfo>("--out", "-o", "--output") { Description = "Watchlist file to write when the new list is complete.", Required = true };
        var threshold = new Option<float?>("--threshold") { Description = "Score from which two people count as lookalikes with the new embedder; default: the embedder's." }.Above(-1, 1);
        var dryRun = new Option<bool>("--dry-run") { Description = "Only compare the old list with the new one; write nothing." };
        var json = new Option<bool>("--json") { Description = "Print JSON (docs/json.md)." };
        ModelOptions models = new();
        KeyOptions key = new();
        LockOption locking = new();
        var command = new Command("re-enrol", "Make a watchlist file for another embedder from the face pictures in an existing file. If interrupted, the same command resumes.") { file, output, threshold, dryRun, json };
        models.AddTo(command);
        key.AddTo(command);
        locking.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            string path = parsed.GetRequiredValue(file).FullName, target = parsed.GetRequiredValue(output).FullName;
            if (RealPath(path) == RealPath(target) || RealPath(path) == RealPath(target + PartialEnding))
                throw new CommandFailure(ExitCode.Usage, $"--out {target} would replace the old list. Give the new list another name.");
            float? given = parsed.GetValue(threshold);
            if (!parsed.GetValue(dryRun))
                OutputPlace.RequireFile(target, "--out");
            locking.Require(parsed);
            WatchlistFileInfo header = WatchlistFile.ReadHeader(path);
            // Fails now and not after all faces: a file that is not a watchlist is not replaced.
            if (File.Exists(target))
                _ = WatchlistFile.ReadHeader(target);
            using PhotoVetter vetter = models.Vetter(parsed, sealedFaces: true);
            if (header.EmbedderSha256 == vetter.Embedder.Sha256)
                throw new CommandFailure(ExitCode.Usage, $"{path} is already a list of the embedder \"{vetter.Embedder.Id}\". Give the new embedder with --embedder.");
            using WatchlistKey secret = key.GetFor(parsed, header);
            if (!DecodeSandbox.IsOffered)
                Console.Error.WriteLine(PhotoVetter.NotShutIn);
            foreach (string caution in TrainingWords.Cautions([vetter.Embedder]))
                Console.Error.WriteLine(caution);
            (ReenrolReport report, int code) = Run(path, target, vetter, secret, given, parsed.GetValue(dryRun), stopping);
            if (parsed.GetValue(json))
                CliJson.Print(report, CliJson.Default.ReenrolReport);
            else
                Print(report, parsed.GetValue(dryRun));
            return Task.FromResult(code);
        });
        return command;
    }

    private static (ReenrolReport Report, int Code) Run(string path, string target, PhotoVetter vetter, WatchlistKey key, float? threshold, bool dryRun, CancellationToken stopping)
    {
        StandardScreen.HasProduct();
        string partial = target + PartialEnding;
        using Watchlist old = WatchlistFile.Read(path, key);
        using Watchlist? done = ReadPartial(partial, key);
        using var reenroller = new WatchlistReenroller(vetter.Embedder, old, done, face => vetter.VetAsync(face, null, stopping).GetAwaiter().GetResult());
        MakeTemplates(reenroller, old, partial, key, dryRun, stopping);
        if (reenroller.Builder.TemplateCount == 0)
            throw new CommandFailure(ExitCode.Input, $"No face of {path} can be used with {vetter.Embedder.Id}: {(reenroller.Lost is [var first, ..] ? first.Reason : "the list is empty")}. Enrol from photos with `lfr enrol`.");

        using Watchlist list = reenroller.Builder.Build();
        ReenrolReport report = Compare(path, target, vetter.Embedder, old, list, reenroller, threshold, stopping);
        if (!dryRun)
        {
            WatchlistFile.Write(target, list, key);
            // The new list is complete.
            File.Delete(partial);
        }
        return (report, report.NotEnrolled.Length == 0 && report.Lost.Length == 0 ? ExitCode.Success : ExitCode.Incomplete);
    }

    private static void MakeTemplates(WatchlistReenroller reenroller, Watchlist old, string partial, WatchlistKey key, bool dryRun, CancellationToken stopping) => ProgressBar.While("Re-enrolling", old.PhotoCount, report =>
    {
        long kept = Stopwatch.GetTimestamp();
        TimeSpan between = LeastBetweenKeeps;
        try
        {
            while (reenroller.Next())
            {
                report(reenroller.FacesDone);
                if (!dryRun && Stopwatch.GetElapsedTime(kept) >= between && reenroller.Builder.TemplateCount > 0)
                    Keep();
                stopping.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException) when (!dryRun && reenroller.Builder.TemplateCount > 0)
        {
            Keep();
            Console.Error.WriteLine($"{reenroller.FacesDone - reenroller.Lost.Count} of {old.PhotoCount} faces are done and stored, encrypted, in {partial}. The same command resumes from there.");
            throw;
        }

        void Keep()
        {
            long began = Stopwatch.GetTimestamp();
            WatchlistFile.WriteSoFar(partial, reenroller.Builder, key);
            kept = Stopwatch.GetTimestamp();
            between = TimeSpan.FromTicks(Math.Max(LeastBetweenKeeps.Ticks, KeepCostFactor * Stopwatch.GetElapsedTime(began, kept).Ticks));
        }
    });

    private static Watchlist? ReadPartial(string partial, WatchlistKey key)
    {
        if (!File.Exists(partial))
            return null;
        try
        {
            return WatchlistFile.Read(partial, key);
        }
        catch (WatchlistException e) when (e.Reason is WatchlistFailure.Damaged or WatchlistFailure.WrongKey or WatchlistFailure.InvalidContent or WatchlistFailure.UnsupportedVersion)
        {
            Console.Error.WriteLine($"Starting again, because {partial} cannot be used: {e.Message}");
            return null;
        }
    }

    private static ReenrolReport Compare(string path, string target, ModelManifest embedder, Watchlist old, Watchlist list, WatchlistReenroller reenroller, float? given, CancellationToken stopping)
    {
        float? threshold = given ?? EmbedderThreshold.Measured(embedder);
        float? oldThreshold = KnownEmbedder(old.EmbedderSha256) is { } before ? EmbedderThreshold.Measured(before) : null;
        HashSet<(string, string)> alikeBefore = oldThreshold is { } o ? [.. SimilarityWarning.Find(old, o, stopping).Select(s => (s.FirstId, s.SecondId))] : [];
        SimilarityWarning[] alike = threshold is { } t ? [.. SimilarityWarning.Find(list, t, stopping).Where(s => !alikeBefore.Contains((s.FirstId, s.SecondId)))] : [];
        var enrolled = list.Identities.Select(i => i.Id).ToHashSet(StringComparer.Ordinal);
        return new ReenrolReport(path, target, old.Id, old.Version, old.EmbedderId, old.EmbedderSha256, list.EmbedderId, list.EmbedderSha256, list.Identities.Count, list.PhotoCount, reenroller.FacesKept,
            oldThreshold, threshold, OwnLikeness.Of(old, list, reenroller.Sources, oldThreshold, threshold), [.. reenroller.Lost], [.. old.Identities.Select(i => i.Id).Where(id => !enrolled.Contains(id))], alike);
    }

    private static string RealPath(string path) => new FileInfo(path) is { LinkTarget: not null } link ? link.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path : path;

    private static ModelManifest? KnownEmbedder(string sha256)
    {
        ModelCatalog catalog = ModelCatalog.Default;
        return catalog.Manifests().Concat(catalog.Brought()).FirstOrDefault(m => m.Sha256 == sha256);
    }

    private static void Print(ReenrolReport report, bool dryRun)
    {
        AnsiConsole.WriteLine($"{report.OldEmbedder} -> {report.Embedder}: {new Counted(report.Templates):face|faces} of {new Counted(report.Identities):person|people}{(report.FacesKept > 0 ? $", {report.FacesKept} of them from an earlier run" : "")}");
        if (report.People.Length > 0)
        {
            var table = new Table().Border(TableBorder.Rounded).AddColumns("Person", "Photos", "Old lowest", "Old mean", "New lowest", "New mean");
            foreach (OwnLikeness person in report.People.OrderBy(p => p.NewLowest).Take(MostShown))
                table.AddRow([Markup.Escape(person.Id), $"{person.Photos}", NumberText.Of(person.OldLowest), NumberText.Of(person.OldMean), NumberText.Of(person.NewLowest), NumberText.Of(person.NewMean)]);
            AnsiConsole.Write(table);
            if (report.People.Length > MostShown)
                AnsiConsole.WriteLine($"{report.People.Length - MostShown} more people are listed with --json. Shown are those whose photos are least alike with the new embedder.");
            AnsiConsole.WriteLine($"Pairs of photos of one person below the threshold: old {Below(report.OldThreshold, report.People.Sum(p => p.OldBelow) ?? 0)}, new {Below(report.Threshold, report.People.Sum(p => p.NewBelow) ?? 0)}, of {report.People.Sum(p => p.Pairs)}.");
        }
        if (report.Threshold is null)
            AnsiConsole.WriteLine($"{report.Embedder} has no default threshold, so lookalikes were not searched. Give --threshold.");
        foreach (SimilarityWarning pair in report.NewlyAlike)
            AnsiConsole.MarkupLineInterpolated($"[yellow]newly alike[/] {pair.FirstId} and {pair.SecondId} score {pair.Score:0.000}: {pair.Meaning}");
        foreach (LostFace face in report.Lost)
            AnsiConsole.MarkupLineInterpolated($"[red]not usable[/] {face.IdentityId}, face {face.TemplateIndex + 1} of the list: {face.Reason}");
        foreach (string id in report.NotEnrolled)
            AnsiConsole.MarkupLineInterpolated($"[red]not in the new list[/] {id}: none of the pictures can be used; enrol from a photo with `lfr enrol`");
        AnsiConsole.WriteLine(dryRun ? "Nothing was written." : $"Written: {report.Output}. The old list {report.File} was not changed.");
    }

    private static string Below(float? threshold, int pairs) => threshold is { } t ? $"{pairs} (at {NumberText.Of(t)})" : "unknown";
}

/// <summary>Result of <c>lfr watchlist re-enrol</c>.</summary>
internal sealed record ReenrolReport(string File, string Output, Guid WatchlistId, string Version, string OldEmbedder, string OldEmbedderSha256, string Embedder, string EmbedderSha256,
    int Identities, int Templates, int FacesKept, float? OldThreshold, float? Threshold, OwnLikeness[] People, LostFace[] Lost, string[] NotEnrolled, SimilarityWarning[] NewlyAlike);
