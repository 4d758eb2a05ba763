using System.CommandLine;
using LfrEngine.Host.Screen;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Watchlists;
using Spectre.Console;

namespace LfrEngine.Host.Commands;

/// <summary><c>lfr enrol PEOPLE_DIR -o FILE</c>: photos in, one encrypted watchlist file out.</summary>
internal static class EnrolCommand
{
    public static Command Create()
    {
        var people = new Argument<string>("PEOPLE") { Description = "Folder with one sub-folder of photos per person; or a CSV file (id, name, category, reference, image_date, source, photos)." };
        var output = new Option<FileInfo>("--output", "-o") { Description = "Watchlist file to write; an older one is replaced whole or not at all.", Required = true };
        var category = new Option<string>("--category") { Description = $"Category of people whose entry names none: {string.Join(", ", WatchlistCategories.AllNames)}.", DefaultValueFactory = _ => WatchlistCategory.Wanted.Name() };
        var version = new Option<string>("--list-version") { Description = "Version written into the list.", DefaultValueFactory = _ => "1" };
        ModelOptions models = new();
        KeyOptions key = new();
        var json = new Option<bool>("--json") { Description = "Print JSON (docs/json.md)." };
        var command = new Command("enrol", "Build a watchlist from photos.") { people, output, category, version, json };
        LockOption locking = new();
        models.AddTo(command);
        key.AddTo(command);
        locking.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            if (!WatchlistCategories.TryParse(parsed.GetRequiredValue(category), out WatchlistCategory fallback))
                throw new CommandFailure(ExitCode.Usage, $"\"{parsed.GetValue(category)}\" is no category; known are {string.Join(", ", WatchlistCategories.AllNames)}.");
            locking.Require(parsed);
            List<PersonRow> rows = PeopleFolder.Read(parsed.GetRequiredValue(people), fallback);
            using WatchlistKey secret = key.Get(parsed);
            using EngineModels loaded = models.Load(parsed);
            return Task.FromResult(Run(rows, parsed.GetRequiredValue(output).FullName, parsed.GetRequiredValue(version), secret, loaded, parsed.GetValue(json), stopping));
        });
        return command;
    }

    internal static int Run(List<PersonRow> people, string output, string version, WatchlistKey key, EngineModels models, bool json, CancellationToken stopping)
    {
        StandardScreen.HasProduct();
        ModelManifest embedder = models.Embedder.Manifest;
        using var builder = new WatchlistBuilder(version, embedder.Id, embedder.Sha256, embedder.EmbeddingLength);
        var outcomes = new List<PhotoOutcome>();
        var missing = new List<string>();
        // Everybody first: a name that no list takes is known before the first photo is looked at.
        string[] refusals = [.. people.Select(p => p.Refusal).OfType<string>()];
        List<EnrolmentRequest> requests = [.. people.Where(p => p.Refusal is null).Select(p => p.Request)];
        Progress.While("Enrolling", requests.Count, report =>
        {
            using var enroller = new WatchlistEnroller(models);
            for (int i = 0; i < requests.Count; i++)
            {
                stopping.ThrowIfCancellationRequested();
                if (!enroller.Add(builder, requests[i], outcomes))
                    missing.Add(requests[i].Identity.Id);
                report(i + 1);
            }
            return 0;
        });
        if (builder.TemplateCount == 0)
        {
            if (json)
                HostJson.Print(new EnrolReport(output, Guid.Empty, version, embedder.Id, embedder.Sha256, 0, 0, Photos(), [.. missing], refusals, []), HostJson.Default.EnrolReport);
            else
                Print(outcomes, missing, refusals, [], "");
            throw new CommandFailure(ExitCode.Input, "Nobody could be enrolled; no watchlist was written. The reasons stand above.");
        }
        using Watchlist watchlist = builder.Build();
        float threshold = DefaultThreshold(embedder);
        SimilarityWarning[] similar = [.. SimilarityWarning.Find(watchlist, threshold, stopping)];
        WatchlistFile.Write(output, watchlist, key);

        var summary = new EnrolReport(output, watchlist.Id, version, embedder.Id, embedder.Sha256, watchlist.Identities.Count, watchlist.TemplateCount,
            Photos(), [.. missing], refusals, similar);
        if (json)
            HostJson.Print(summary, HostJson.Default.EnrolReport);
        else
            Print(outcomes, missing, refusals, similar, $"{watchlist.Identities.Count} person(s) with {watchlist.TemplateCount} template(s) enrolled in {output}.");
        return missing.Count == 0 && refusals.Length == 0 ? ExitCode.Success : ExitCode.Incomplete;

        PhotoReport[] Photos() => [.. outcomes.Select(o => new PhotoReport(o.IdentityId, o.Photo, o.Verdict.ToString().ToLowerInvariant(), o.Quality, [.. o.Reasons]))];
    }

    internal static float DefaultThreshold(ModelManifest embedder) =>
        embedder.Thresholds.FirstOrDefault(t => t.Name == "default")?.Value
        ?? throw new CommandFailure(ExitCode.Usage, $"The embedder \"{embedder.Id}\" has no default threshold in its manifest: measure one and give --threshold, or add it with its evidence.");

    private static void Print(List<PhotoOutcome> outcomes, List<string> missing, string[] refusals, SimilarityWarning[] similar, string closing)
    {
        foreach (string refusal in refusals)
            AnsiConsole.MarkupLineInterpolated($"[red]not enrolled[/] {refusal}");
        foreach (PhotoOutcome outcome in outcomes.Where(o => o.Reasons.Count > 0))
            AnsiConsole.MarkupLineInterpolated($"[{(outcome.Verdict == PhotoVerdict.Rejected ? "red" : "yellow")}]{outcome.Verdict.ToString().ToLowerInvariant(),-8}[/] {outcome.IdentityId}: {Shown.Name(Path.GetFileName(outcome.Photo))}: {string.Join("; ", outcome.Reasons)}");
        foreach (string id in missing)
            AnsiConsole.MarkupLineInterpolated($"[red]not enrolled[/] {id}: no usable photo");
        foreach (SimilarityWarning warning in similar)
            AnsiConsole.MarkupLineInterpolated($"[yellow]alike[/] {warning.FirstId} and {warning.SecondId} score {warning.Score:0.000}: {warning.Meaning}");
        if (closing.Length > 0)
            AnsiConsole.WriteLine(closing);
    }
}

/// <summary>Result of <c>lfr enrol</c>.</summary>
internal sealed record EnrolReport(string File, Guid WatchlistId, string Version, string Embedder, string EmbedderSha256, int Identities, int Templates,
    PhotoReport[] Photos, string[] NotEnrolled, string[] Refusals, SimilarityWarning[] Similar);

/// <summary>What became of one photo.</summary>
internal sealed record PhotoReport(string Id, string Photo, string Verdict, float Quality, string[] Reasons);

/// <summary>Two people of the list who are alike.</summary>
internal sealed record SimilarityWarning(string FirstId, string SecondId, float Score, string Meaning)
{
    // Two people as alike as this are more likely one person under two ids: on LFW no two people score so high.
    private const float SamePersonScore = 0.6f;

    /// <summary>All pairs at or above a threshold.</summary>
    /// <param name="watchlist">Borrowed.</param>
    /// <param name="threshold">Cosine.</param>
    /// <param name="stopping">Ends the search.</param>
    public static IEnumerable<SimilarityWarning> Find(Watchlist watchlist, float threshold, CancellationToken stopping) =>
        WatchlistAudit.FindSimilar(watchlist, threshold, stopping).Select(s => new SimilarityWarning(
            watchlist.Identities[s.FirstIdentityIndex].Id, watchlist.Identities[s.SecondIdentityIndex].Id, s.ComparisonScore,
            s.ComparisonScore >= SamePersonScore ? "same face under two ids?" : "lookalikes: either may raise an alert for the other"));
}
