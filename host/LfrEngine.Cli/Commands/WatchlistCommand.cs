using LfrEngine.Cli.Serving;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr watchlist import</c>: imports a prepared list into the store of <c>lfr serve</c>, completely or not at all.</summary>
internal static class WatchlistCommand
{
    public static Command Create()
    {
        var people = new Argument<string>("PEOPLE") { Description = "Folder with people.csv and photos, or the CSV file (id, name, category, reference, image_date, source, photos, legal_basis, reviewed_on, role_player, response, lookalike, groups, consent_on)." };
        var name = new Option<string>("--name") { Description = "Name of the new watchlist.", Required = true };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only check people, photos, lookalikes and the policy; import nothing." };
        var json = new Option<bool>("--json") { Description = "Print JSON (docs/json.md)." };
        ConfigOption config = new();
        LockOption locking = new();
        var import = new Command("import", "Import people from a list: all of them or, if anything is wrong, none. `lfr serve` must not be running.") { people, name, dryRun, json };
        config.AddTo(import);
        locking.AddTo(import);
        import.SetAction(async (parsed, stopping) =>
        {
            locking.Require(parsed);
            Installation installation = config.Read(parsed);
            // Two programs cannot both append to one audit trail; with a running server, use the console.
            using DataLock only = DataLock.Take(installation);
            await using ServiceProvider records = await OpenRecords.OpenAsync(installation, TimeProvider.System, stopping);
            await records.GetRequiredService<WatchlistService>().RecoverAsync(stopping);
            string path = parsed.GetRequiredValue(people);
            string list = File.Exists(path) ? path : Path.Combine(path, "people.csv");
            if (!File.Exists(list))
                throw new CommandFailure(ExitCode.Input, $"{list} does not exist. An import needs people.csv, because folder names alone give neither legal basis nor review.");
            using var source = new ListOnDisk(list);
            ImportReport report;
            try
            {
                report = await records.GetRequiredService<WatchlistImport>().RunAsync(Actor.CommandLine, parsed.GetRequiredValue(name), source, parsed.GetValue(dryRun), stopping: stopping);
            }
            catch (WatchlistRefusedException e)
            {
                throw new CommandFailure(ExitCode.Input, e.Message, e);
            }
            if (report.Watchlist is not null)
                StandardScreen.HasProduct();
            if (parsed.GetValue(json))
                CliJson.Print(report, CliJson.Default.ImportReport);
            else
                Print(report);
            if (report.Refusals.Length > 0)
                throw new CommandFailure(ExitCode.Input, $"Not imported. {new Counted(report.Refusals.Length):problem|problems} to fix.");
            return ExitCode.Success;
        });
        return new Command("watchlist", "Import a watchlist into `lfr serve`, or make a watchlist file for another embedder.") { import, WatchlistReenrolCommand.Create() };
    }

    private static void Print(ImportReport report)
    {
        foreach (PhotoReport photo in report.Photos.Where(p => p.Reasons.Length > 0))
            AnsiConsole.MarkupLineInterpolated($"[{(photo.Verdict == PhotoReport.Rejected ? "red" : "yellow")}]{photo.Verdict,-8}[/] {photo.Id}: {Shown.Name(Path.GetFileName(photo.Photo))}: {string.Join("; ", photo.Reasons)}");
        foreach (SimilarityWarning warning in report.Similar)
            AnsiConsole.MarkupLineInterpolated(warning.IsOnePerson
                ? $"[yellow]unlike[/] {warning.FirstId}: a photo scores {warning.Score:0.000} with the others: {warning.Meaning}"
                : (FormattableString)$"[yellow]alike[/] {warning.FirstId} and {warning.SecondId} score {warning.Score:0.000}: {warning.Meaning}");
        foreach (string refusal in report.Refusals)
            AnsiConsole.MarkupLineInterpolated($"[red]refused[/] {refusal}");
        if (report.Refusals.Length == 0)
            AnsiConsole.WriteLine(report.Watchlist is { } made ? $"{new Counted(report.People):person|people} with {new Counted(report.Photos.Length):photo|photos} imported as watchlist {made}." : $"{new Counted(report.People):person|people} with {new Counted(report.Photos.Length):photo|photos} can be imported. Nothing has been imported yet.");
    }
}
