using System.CommandLine;
using LfrEngine.Host.Screen;
using LfrEngine.Host.Watchlists;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Hardening;
using LfrEngine.Watchlists;
using Spectre.Console;

namespace LfrEngine.Host.Commands;

/// <summary><c>lfr enrol PEOPLE_DIR -o FILE</c>: photos in, one encrypted watchlist file out.</summary>
internal static class EnrolCommand
{
    public static Command Create()
    {
        var people = new Argument<string>("PEOPLE") { Description = "Folder with one sub-folder of photos per person; or a CSV file (id, name, category, reference, image_date, source, photos, face)." };
        var output = new Option<FileInfo>("--output", "-o") { Description = "Watchlist file to write; an older one is replaced whole or not at all.", Required = true };
        var category = new Option<string>("--category") { Description = $"Category of people whose entry names none: {string.Join(", ", WatchlistCategories.AllNames)}.", DefaultValueFactory = _ => WatchlistCategory.Wanted.Name() };
        var version = new Option<string>("--list-version") { Description = "Version written into the list.", DefaultValueFactory = _ => "1" };
        var threshold = new Option<float?>("--threshold") { Description = "Score from which two people count as lookalikes; default: the embedder's." };
        ModelOptions models = new();
        KeyOptions key = new();
        var json = new Option<bool>("--json") { Description = "Print JSON (docs/json.md)." };
        var command = new Command("enrol", "Build a watchlist from photos.") { people, output, category, version, threshold, json };
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
            using PhotoVetter vetter = models.Vetter(parsed);
            return Task.FromResult(Run(rows, parsed.GetRequiredValue(output).FullName, parsed.GetRequiredValue(version), secret, vetter, Checked(parsed.GetValue(threshold)) ?? DefaultThreshold(vetter.Embedder), parsed.GetValue(json), stopping));
        });
        return command;
    }

    internal static int Run(List<PersonRow> people, string output, string version, WatchlistKey key, PhotoVetter vetter, float threshold, bool json, CancellationToken stopping)
    {
        StandardScreen.HasProduct();
        ModelManifest embedder = vetter.Embedder;
        using var builder = new WatchlistBuilder(version, embedder.Id, embedder.Sha256, embedder.EmbeddingLength);
        var photos = new List<PhotoReport>();
        var missing = new List<string>();
        // Everybody first: a name that no list takes is known before the first photo is looked at.
        string[] refusals = [.. people.Select(p => p.Refusal).OfType<string>()];
        PersonRow[] taken = [.. people.Where(p => p.Refusal is null)];
        if (!DecodeSandbox.IsOffered)
            Console.Error.WriteLine(PhotoVetter.NotShutIn);
        Progress.While("Enrolling", taken.Length, report =>
        {
            for (int i = 0; i < taken.Length; i++)
            {
                stopping.ThrowIfCancellationRequested();
                if (!Add(builder, taken[i], vetter, photos, stopping))
                    missing.Add(taken[i].Identity.Id);
                report(i + 1);
            }
            return 0;
        });
        if (builder.TemplateCount == 0)
        {
            if (json)
                HostJson.Print(new EnrolReport(output, Guid.Empty, version, embedder.Id, embedder.Sha256, 0, 0, [.. photos], [.. missing], refusals, []), HostJson.Default.EnrolReport);
            else
                Print(photos, missing, refusals, [], "");
            throw new CommandFailure(ExitCode.Input, "Nobody could be enrolled; no watchlist was written. The reasons stand above.");
        }
        using Watchlist watchlist = builder.Build();
        SimilarityWarning[] similar = [.. SimilarityWarning.Find(watchlist, threshold, stopping)];
        WatchlistFile.Write(output, watchlist, key);

        var summary = new EnrolReport(output, watchlist.Id, version, embedder.Id, embedder.Sha256, watchlist.Identities.Count, watchlist.PhotoCount,
            [.. photos], [.. missing], refusals, similar);
        if (json)
            HostJson.Print(summary, HostJson.Default.EnrolReport);
        else
            Print(photos, missing, refusals, similar, $"{watchlist.Identities.Count} person(s) with {watchlist.PhotoCount} photo(s) enrolled in {output}.");
        return missing.Count == 0 && refusals.Length == 0 ? ExitCode.Success : ExitCode.Incomplete;
    }

    /// <summary>A threshold as given.</summary>
    /// <exception cref="CommandFailure">It is no cosine.</exception>
    internal static float? Checked(float? threshold) => threshold is null or (> -1 and <= 1)
        ? threshold
        : throw new CommandFailure(ExitCode.Usage, $"A threshold is a cosine between -1 and 1; {threshold} is not.");

    /// <summary>The default threshold of an embedder; null when nobody has measured one.</summary>
    internal static float? OwnThreshold(ModelManifest embedder) => embedder.Thresholds.FirstOrDefault(t => t.Name == "default")?.Value;

    internal static float DefaultThreshold(ModelManifest embedder) =>
        OwnThreshold(embedder)
        ?? throw new CommandFailure(ExitCode.Usage, $"The embedder \"{embedder.Id}\" has no default threshold in its manifest: measure one and give --threshold, or add it with its evidence.");

    // Whether one photo at least passes the gate.
    private static bool Add(WatchlistBuilder builder, PersonRow person, PhotoVetter vetter, List<PhotoReport> photos, CancellationToken stopping)
    {
        int identity = -1;
        foreach ((int i, string photo) in person.Photos.Index())
        {
            using HostBuffer<byte>? file = ListOnDisk.ReadPhoto(photo, out string problem);
            using VettedPhoto vetted = file is null ? new VettedPhoto(PhotoVerdict.Rejected, [problem], 0) : vetter.VetAsync(file, person.FaceIn(i), stopping).GetAwaiter().GetResult();
            photos.Add(new PhotoReport(person.Identity.Id, photo, vetted.Verdict.ToString().ToLowerInvariant(), vetted.Quality, [.. vetted.Reasons], vetted.Faces?.Faces));
            if (vetted.Verdict == PhotoVerdict.Rejected)
                continue;
            if (identity < 0)
                identity = builder.AddIdentity(person.Identity);
            vetted.Templates!.AddTo(builder, identity, vetted.Quality, vetted.Chip);
        }
        return identity >= 0;
    }

    private static void Print(List<PhotoReport> photos, List<string> missing, string[] refusals, SimilarityWarning[] similar, string closing)
    {
        foreach (string refusal in refusals)
            AnsiConsole.MarkupLineInterpolated($"[red]not enrolled[/] {refusal}");
        foreach (PhotoReport photo in photos.Where(p => p.Reasons.Length > 0))
            AnsiConsole.MarkupLineInterpolated($"[{(photo.Verdict == "rejected" ? "red" : "yellow")}]{photo.Verdict,-8}[/] {photo.Id}: {Shown.Name(Path.GetFileName(photo.Photo))}: {string.Join("; ", photo.Reasons)}");
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

/// <summary>What became of one photo; with its faces where there are several and none was chosen.</summary>
internal sealed record PhotoReport(string Id, string Photo, string Verdict, float Quality, string[] Reasons, PhotoFace[]? Faces = null);

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
