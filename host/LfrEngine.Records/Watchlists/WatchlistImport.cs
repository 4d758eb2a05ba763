using LfrEngine.Memory;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Watchlists;

/// <summary>Imports a prepared list as a watchlist, completely or not at all.</summary>
internal sealed class WatchlistImport(WatchlistService watchlists, SealedPeople records, Journal journal, PhotoVetter vetter, Installation installation)
{
    /// <summary>Checks a whole list, then writes all of it in one transaction, or nothing.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="name">Name of the new watchlist.</param>
    /// <param name="source">List and photos. Borrowed.</param>
    /// <param name="dryRun">Only check.</param>
    /// <param name="progress">Receives how many people have been checked, and the total.</param>
    /// <param name="stopping">Before it is done.</param>
    /// <exception cref="CommandFailure">The list cannot be read.</exception>
    public Task<ImportReport> RunAsync(Actor actor, string name, PeopleSource source, bool dryRun, Action<int, int>? progress = null, CancellationToken stopping = default) => watchlists.WithNewKeyAsync(async id =>
    {
        WatchlistRecord watchlist = watchlists.NewWatchlist(id, name);
        List<PersonRow> rows = PeopleFolder.ReadCsv(source, WatchlistCategory.Wanted);
        var refusals = new List<string>();
        var photos = new List<PhotoReport>();
        var people = new List<PersonRecord>(rows.Count);
        var recorded = new List<(Guid, PersonDetails)>(rows.Count);
        using WatchlistBuilder builder = records.NewBuilder(id);
        var ids = new Dictionary<Guid, string>();
        var distinct = new HashSet<string>(StringComparer.Ordinal);
        foreach (PersonRow row in rows)
        {
            string where = $"{source.List}, line {row.Line} ({Shown.Name(row.Identity.Id)}): ";
            CategoryPolicy policy = installation.LimitsOf(row.Identity.Category);
            var details = new PersonDetails(row.Identity.Name, row.Identity.Reference ?? "", row.LegalBasis ?? "", row.Identity.Source ?? "", row.Response, row.Lookalike, row.Groups, row.ConsentOn is { } given ? new GroupConsent(given) : null);
            details = WatchlistService.WithConsent(details, actor);
            string[] against = [.. row.ReviewedOn is { } reviewedOn
                ? WatchlistPolicy.OfEntry(policy, row.Identity.Category, details, reviewedOn, watchlists.Today)
                : ["Enter the day of the review in reviewed_on."]];
            if (WatchlistPolicy.OfImage(policy, row.Identity.Category, row.Identity.ImageDate, watchlists.Today) is { } image)
                against = [.. against, image];
            if (WatchlistPolicy.OfGroups(details, row.RolePlayer, watchlists.Today) is { } groups)
                against = [.. against, groups];
            if (row.Photos.Count > WatchlistService.MostPhotosPerPerson)
                against = [.. against, $"{new Counted(row.Photos.Count):photo|photos}, but at most {WatchlistService.MostPhotosPerPerson} are allowed. Leave some out."];
            if (row.Identity.Problem() is { } problem)
                against = [problem, .. against];
            refusals.AddRange(against.Select(a => where + a));
            PersonRecord person = records.NewPerson(id, row.Identity.Category, details, row.ReviewedOn ?? watchlists.Today, row.RolePlayer);
            ids.Add(person.Id, row.Identity.Id);
            if (!distinct.Add(row.Identity.Id))
                refusals.Add(where + "Another line has the same id. Give each person one line.");
            foreach ((int i, string photo) in row.Photos.Index())
            {
                using VettedPhoto vetted = await VetAsync(source, photo, row.FaceIn(i), stopping);
                photos.Add(new PhotoReport(row.Identity.Id, photo, vetted.Verdict.ToString().ToLowerInvariant(), vetted.Quality, [.. vetted.Reasons], vetted.Faces?.Faces));
                person.Photos.Add(records.NewPhoto(person, vetted, row.Identity.ImageDate));
            }
            if (person.Photos.All(p => p.Verdict == PhotoVerdict.Rejected))
                refusals.Add(where + "No usable photo. Add one that passes the quality check.");
            // What no watchlist can hold was refused above; the others are compared all the same.
            if (row.Identity.Problem() is null)
                records.Collect(builder, [person]);
            people.Add(person);
            recorded.Add((person.Id, details));
            progress?.Invoke(people.Count, rows.Count);
        }
        refusals.AddRange(watchlists.Sizes(people));
        SimilarityWarning[] similar = [];
        if (builder.IdentityCount > 0)
        {
            using Watchlist list = builder.Build();
            similar = [.. SimilarityWarning.Look(list, EmbedderThreshold.Default(vetter.Embedder), stopping).Select(s => s with { FirstId = ids[Guid.Parse(s.FirstId)], SecondId = ids[Guid.Parse(s.SecondId)] })];
        }
        if (dryRun || refusals.Count > 0)
            return new ImportReport(null, people.Count, [.. photos], [.. refusals], similar);
        await journal.ChangeAsync(actor, (store, entries) =>
        {
            store.Add(watchlist);
            store.AddRange(people);
            entries.Note("watchlist.imported", WatchlistService.Subject(id), new { watchlist.Name, People = people.Count, Photos = photos.Count });
            WatchlistService.NoteGroups(entries, id, recorded);
            return Task.CompletedTask;
        }, stopping);
        return new ImportReport(id, people.Count, [.. photos], [], similar);
    }, keep: report => report.Watchlist is not null);

    private async Task<VettedPhoto> VetAsync(PeopleSource source, string photo, PhotoPoint? face, CancellationToken stopping)
    {
        using HostBuffer<byte>? bytes = source.Read(photo, out string problem);
        return bytes is null ? new VettedPhoto(PhotoVerdict.Rejected, [problem], 0) : await vetter.VetAsync(bytes, face, stopping);
    }
}
