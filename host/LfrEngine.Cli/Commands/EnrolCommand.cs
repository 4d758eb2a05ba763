using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Hardening;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr enrol PEOPLE_DIR -o FILE</c>: makes an encrypted watchlist file from photos.</summary>
internal static class EnrolCommand
{
    public static Command Create()
    {
        var people = new Argument<string>("PEOPLE") { Description = "Folder with one sub-folder of photos per person; or a CSV file (id, name, category, reference, image_date, source, photos, face)." };
        var output = new Option<FileInfo>("--out", "-o", "--output") { Description = "Watchlist file to write. An existing file is replaced only if everything succeeds.", Required = true };
        var category = new Option<string>("--category") { Description = $"Category of people whose entry has none: {string.Join(", ", WatchlistCategories.AllNames)}.", DefaultValueFactory = _ => WatchlistCategory.Wanted.Name() }.OneOf([.. WatchlistCategories.AllNames]);
        var version = new Option<string>("--list-version") { Description = "Version written into the list.", DefaultValueFactory = _ => "1" };
        var threshold = new Option<float?>("--threshold") { Description = "Score from which two people count as lookalikes; default: the embedder's." }.Above(-1, 1);
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
            _ = WatchlistCategories.TryParse(parsed.GetRequiredValue(category), out WatchlistCategory fallback);
            OutputPlace.RequireFile(parsed.GetRequiredValue(output).FullName, "--out");
            locking.Require(parsed);
            List<PersonRow> rows = PeopleFolder.Read(parsed.GetRequiredValue(people), fallback);
            using WatchlistKey secret = key.Get(parsed);
            using PhotoVetter vetter = models.Vetter(parsed);
            return Task.FromResult(Run(rows, parsed.GetRequiredValue(output).FullName, parsed.GetRequiredValue(version), secret, vetter, parsed.GetValue(threshold) ?? EmbedderThreshold.Default(vetter.Embedder), parsed.GetValue(json), stopping));
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
        // Checks all people first, so that an invalid name is reported before the first photo is decoded.
        string[] refusals = [.. people.Select(p => p.Refusal).OfType<string>()];
        PersonRow[] taken = [.. people.Where(p => p.Refusal is null)];
        if (!DecodeSandbox.IsOffered)
            Console.Error.WriteLine(PhotoVetter.NotShutIn);
        ProgressBar.While("Enrolling", taken.Length, report =>
        {
            for (int i = 0; i < taken.Length; i++)
            {
                stopping.ThrowIfCancellationRequested();
                if (!Add(builder, taken[i], vetter, photos, stopping))
                    missing.Add(taken[i].Identity.Id);
                report(i + 1);
            }
        });
        if (builder.TemplateCount == 0)
        {
            if (json)
                CliJson.Print(new EnrolReport(output, Guid.Empty, version, embedder.Id, embedder.Sha256, 0, 0, [.. photos], [.. missing], refusals, []), CliJson.Default.EnrolReport);
            else
                Print(photos, missing, refusals, [], "");
            throw new CommandFailure(ExitCode.Input, "Nobody could be enrolled, so no watchlist was written. The reasons are listed above.");
        }
        using Watchlist watchlist = builder.Build();
        SimilarityWarning[] similar = [.. SimilarityWarning.Look(watchlist, threshold, stopping)];
        WatchlistFile.Write(output, watchlist, key);

        var summary = new EnrolReport(output, watchlist.Id, version, embedder.Id, embedder.Sha256, watchlist.Identities.Count, watchlist.PhotoCount,
            [.. photos], [.. missing], refusals, similar);
        if (json)
            CliJson.Print(summary, CliJson.Default.EnrolReport);
        else
            Print(photos, missing, refusals, similar, $"{new Counted(watchlist.Identities.Count):person|people} with {new Counted(watchlist.PhotoCount):photo|photos} enrolled in {output}.");
        return missing.Count == 0 && refusals.Length == 0 ? ExitCode.Success : ExitCode.Incomplete;
    }

    // Whether at least one photo passes the quality check.
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
            AnsiConsole.MarkupLineInterpolated($"[{(photo.Verdict == PhotoReport.Rejected ? "red" : "yellow")}]{photo.Verdict,-8}[/] {photo.Id}: {Shown.Name(Path.GetFileName(photo.Photo))}: {string.Join("; ", photo.Reasons)}");
        foreach (string id in missing)
            AnsiConsole.MarkupLineInterpolated($"[red]not enrolled[/] {id}: no usable photo. Give one that shows the whole face, sharp and from the front.");
        foreach (SimilarityWarning warning in similar)
            AnsiConsole.MarkupLineInterpolated(warning.IsOnePerson
                ? $"[yellow]unlike[/] {warning.FirstId}: a photo scores {warning.Score:0.000} with the others: {warning.Meaning}"
                : (FormattableString)$"[yellow]alike[/] {warning.FirstId} and {warning.SecondId} score {warning.Score:0.000}: {warning.Meaning}");
        if (closing.Length > 0)
            AnsiConsole.WriteLine(closing);
    }
}

/// <summary>Result of <c>lfr enrol</c>.</summary>
internal sealed record EnrolReport(string File, Guid WatchlistId, string Version, string Embedder, string EmbedderSha256, int Identities, int Templates,
    PhotoReport[] Photos, string[] NotEnrolled, string[] Refusals, SimilarityWarning[] Similar);
