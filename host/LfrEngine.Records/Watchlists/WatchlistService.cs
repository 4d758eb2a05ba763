using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Retention;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Watchlists;

/// <summary>Watchlists: creates, edits, builds and destroys them.</summary>
/// <remarks>
/// Thread-safe; changes run one at a time. Storage of people and photos: <see cref="SealedPeople"/>.
/// </remarks>
internal sealed class WatchlistService(Journal journal, IDbContextFactory<LfrStore> stores, KeyVault vault, SealedPeople records, PhotoVetter vetter, Installation installation, TimeProvider time) : IDisposable
{
    private const int MostName = 100, MostRemarks = 2000;
    internal const int MostPhotosPerPerson = 20;

    private readonly SemaphoreSlim turn = new(1);

    /// <summary>Today, in the server's time zone.</summary>
    public DateOnly Today => DateOnly.FromDateTime(time.GetLocalNow().DateTime);

    /// <summary>Creates a watchlist.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="name">For people, for example the deployment's.</param>
    /// <param name="stopping">Before it is done.</param>
    /// <exception cref="WatchlistRefusedException">The name will not do.</exception>
    public Task<Guid> CreateAsync(Actor actor, string name, CancellationToken stopping = default) => WithNewKeyAsync(async id =>
    {
        await journal.ChangeAsync(actor, (store, entries) =>
        {
            store.Add(NewWatchlist(id, name));
            entries.Note("watchlist.created", Subject(id), new { Name = name.Trim() });
            return Task.CompletedTask;
        }, stopping);
        return id;
    });

    /// <summary>Changes the name and the remarks of a draft.</summary>
    /// <exception cref="WatchlistRefusedException">They will not do, or the list is built.</exception>
    /// <exception cref="KeyNotFoundException">This watchlist does not exist.</exception>
    public Task EditAsync(Actor actor, Guid watchlist, string name, string remarks, CancellationToken stopping = default)
    {
        (string newName, string newRemarks) = (NameOf(name), remarks.Trim());
        if (newRemarks.Length > MostRemarks || !Shown.IsPlain(newRemarks, lines: true))
            throw new WatchlistRefusedException([$"The remarks are longer than {MostRemarks} characters or contain characters that cannot be seen. Change them."]);
        return InTurnAsync(() => journal.ChangeAsync(actor, async (store, entries) =>
        {
            WatchlistRecord record = await DraftAsync(store, watchlist, stopping);
            string before = record.Name;
            record.Name = newName;
            record.SealedRemarks = records.SealRemarks(watchlist, newRemarks);
            // Remarks may be about people, so the trail has only the name.
            entries.Note("watchlist.edited", Subject(watchlist), new { Name = newName, Before = before == newName ? null : before });
            return true;
        }, stopping), stopping);
    }

    /// <summary>Copies people and photos of a watchlist into a new draft. Review dates are copied too, so what is due for review must be reviewed before the copy can be built.</summary>
    /// <returns>The new watchlist.</returns>
    /// <exception cref="WatchlistRefusedException">The name will not do, or the list is destroyed.</exception>
    /// <exception cref="KeyNotFoundException">This watchlist does not exist.</exception>
    public Task<Guid> CopyAsync(Actor actor, Guid watchlist, string name, CancellationToken stopping = default) => InTurnAsync(() => WithNewKeyAsync(async id =>
    {
        WatchlistRecord copy = NewWatchlist(id, name);
        await journal.ChangeAsync(actor, async (store, entries) =>
        {
            WatchlistRecord from = await FindAsync(store, watchlist, stopping);
            if (from.State == WatchlistState.Destroyed)
                throw new WatchlistRefusedException([Destroyed]);
            List<PersonRecord> people = [.. (await PeopleAsync(store, watchlist, stopping)).Select(p => records.CopyOf(id, p))];
            copy.SealedRemarks = records.SealRemarks(id, records.Remarks(from));
            store.Add(copy);
            store.AddRange(people);
            entries.Note("watchlist.copied", Subject(id), new { copy.Name, From = watchlist, People = people.Count, Photos = people.Sum(p => p.Photos.Count) });
        }, stopping);
        return id;
    }), stopping);

    /// <summary>Adds a person.</summary>
    /// <exception cref="WatchlistRefusedException">The policy does not allow it, or the list is built.</exception>
    /// <exception cref="KeyNotFoundException">This watchlist does not exist.</exception>
    public async Task<Guid> AddPersonAsync(Actor actor, Guid watchlist, WatchlistCategory category, PersonDetails details, DateOnly reviewedOn, bool rolePlayer, CancellationToken stopping = default)
    {
        CategoryPolicy policy = installation.LimitsOf(category);
        details = WithConsent(details, actor);
        Refuse([.. WatchlistPolicy.OfEntry(policy, category, details, reviewedOn, Today), .. WatchlistPolicy.OfGroups(details, rolePlayer, Today) is { } groups ? new[] { groups } : []]);
        return await InTurnAsync(() => journal.ChangeAsync(actor, async (store, entries) =>
        {
            await DraftAsync(store, watchlist, stopping);
            int people = await store.People.CountAsync(p => p.WatchlistId == watchlist && p.Category == category, stopping);
            Refuse(WatchlistPolicy.OfSize(policy, category, people + 1));
            PersonRecord person = records.NewPerson(watchlist, category, details, reviewedOn, rolePlayer);
            store.Add(person);
            entries.Note("watchlist.person-added", Subject(watchlist), new { Person = person.Id, Category = category.Name(), rolePlayer });
            NoteGroups(entries, watchlist, [(person.Id, details)]);
            return person.Id;
        }, stopping), stopping);
    }

    /// <summary>Records a review of a person's entry.</summary>
    /// <exception cref="WatchlistRefusedException">The day will not do, or the list is built.</exception>
    /// <exception cref="KeyNotFoundException">This person does not exist.</exception>
    public Task ReviewAsync(Actor actor, Guid person, DateOnly reviewedOn, CancellationToken stopping = default) => ChangePersonAsync(actor, person, (_, record, entries) =>
    {
        Refuse(WatchlistPolicy.OfEntry(installation.LimitsOf(record.Category), record.Category, records.Details(record), reviewedOn, Today));
        record.ReviewedOn = reviewedOn;
        entries.Note("watchlist.person-reviewed", Subject(record.WatchlistId), new { Person = person, reviewedOn });
    }, stopping);

    /// <summary>Changes the groups of a role-player of a draft.</summary>
    /// <param name="actor">Who records them, and the consent.</param>
    /// <param name="person">The role-player.</param>
    /// <param name="groups">Value by column; empty to remove them.</param>
    /// <param name="consentOn">When the role-player consented.</param>
    /// <param name="stopping">Before it is done.</param>
    /// <exception cref="WatchlistRefusedException">The groups will not do, the person is no role-player, or the list is built.</exception>
    /// <exception cref="KeyNotFoundException">This person does not exist.</exception>
    public Task ChangeGroupsAsync(Actor actor, Guid person, IReadOnlyDictionary<string, string> groups, DateOnly? consentOn, CancellationToken stopping = default) => ChangePersonAsync(actor, person, (_, record, entries) =>
    {
        PersonDetails changed = WithConsent(records.Details(record) with { Groups = groups, Consent = consentOn is { } day ? new GroupConsent(day) : null }, actor);
        Refuse(WatchlistPolicy.OfGroups(changed, record.RolePlayer, Today));
        records.Change(record, changed);
        NoteGroups(entries, record.WatchlistId, [(person, changed)]);
    }, stopping);

    /// <summary>Records who recorded a consent; without groups there is none.</summary>
    internal static PersonDetails WithConsent(PersonDetails details, Actor actor) => details with
    {
        Groups = details.Groups is { Count: > 0 } ? details.Groups : null,
        Consent = details.Groups is { Count: > 0 } ? details.Consent is { } consent ? consent with { RecordedBy = actor.Name } : null : null,
    };

    /// <summary>Adds an entry about those whose groups were recorded: which columns, never the values, and the consent.</summary>
    internal static void NoteGroups(Entries entries, Guid watchlist, IEnumerable<(Guid Person, PersonDetails Details)> people)
    {
        var recorded = people.Where(p => p.Details.Groups is not null).Select(p => new { p.Person, Columns = p.Details.Groups!.Keys, ConsentOn = p.Details.Consent!.GivenOn }).ToArray();
        if (recorded.Length > 0)
            entries.Note("watchlist.groups-recorded", Subject(watchlist), new { People = recorded });
    }

    /// <summary>Marks two people of a list as lookalikes of each other: whoever judges an alert for one is told of the other.</summary>
    /// <exception cref="WatchlistRefusedException">The list is built, or a mark becomes too long.</exception>
    /// <exception cref="KeyNotFoundException">One of them is not on this list.</exception>
    public Task MarkLookalikesAsync(Actor actor, Guid watchlist, Guid first, Guid second, CancellationToken stopping = default) => InTurnAsync(() => journal.ChangeAsync(actor, async (store, entries) =>
    {
        await DraftAsync(store, watchlist, stopping);
        Guid[] both = [first, second];
        List<PersonRecord> pair = await store.People.Where(p => p.WatchlistId == watchlist && both.Contains(p.Id)).ToListAsync(stopping);
        if (pair.Count != 2)
            throw new KeyNotFoundException("This person does not exist.");
        foreach ((PersonRecord person, PersonRecord other) in new[] { (pair[0], pair[1]), (pair[1], pair[0]) })
        {
            PersonDetails details = records.Details(person), others = records.Details(other);
            string mark = $"{others.Name} ({others.Reference}), who is on this list too";
            if (details.Lookalike?.Contains(mark, StringComparison.Ordinal) == true)
                continue;
            PersonDetails marked = details with { Lookalike = details.Lookalike is { } known ? $"{known}; {mark}" : mark };
            // A review that is due has no part in it.
            Refuse(WatchlistPolicy.OfEntry(installation.LimitsOf(person.Category), person.Category, marked, Today, Today));
            records.Change(person, marked);
        }
        entries.Note("watchlist.lookalikes-marked", Subject(watchlist), new { People = both });
        return true;
    }, stopping), stopping);

    /// <summary>Removes a person with all photos.</summary>
    /// <exception cref="WatchlistRefusedException">The list is built.</exception>
    /// <exception cref="KeyNotFoundException">This person does not exist.</exception>
    public Task RemovePersonAsync(Actor actor, Guid person, CancellationToken stopping = default) => ChangePersonAsync(actor, person, (store, record, entries) =>
    {
        store.Remove(record);
        entries.Note("watchlist.person-removed", Subject(record.WatchlistId), new { Person = person });
    }, stopping);

    /// <summary>Removes a photo.</summary>
    /// <exception cref="WatchlistRefusedException">The list is built.</exception>
    /// <exception cref="KeyNotFoundException">This photo does not exist.</exception>
    public async Task RemovePhotoAsync(Actor actor, Guid photo, CancellationToken stopping = default)
    {
        await using LfrStore reading = await stores.CreateDbContextAsync(stopping);
        Guid person = await reading.Photos.Where(p => p.Id == photo).Select(p => (Guid?)p.PersonId).FirstOrDefaultAsync(stopping) ?? throw new KeyNotFoundException("This photo does not exist.");
        await ChangePersonAsync(actor, person, (store, record, entries) =>
        {
            store.Remove(record.Photos.Single(p => p.Id == photo));
            entries.Note("watchlist.photo-removed", Subject(record.WatchlistId), new { Person = person, Photo = photo });
        }, stopping);
    }

    /// <summary>Judges an upload and keeps the face cut out of it, if it passes. Of a rejected one, verdict and reasons are kept.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="person">The person in the photo.</param>
    /// <param name="upload">Read to its end; not kept.</param>
    /// <param name="takenOn">When it was taken.</param>
    /// <param name="face">A point in the face to enrol; null if the photo shows one person.</param>
    /// <param name="stopping">Before it is done.</param>
    /// <exception cref="WatchlistRefusedException">The policy does not allow it, or the list is built.</exception>
    /// <exception cref="KeyNotFoundException">This person does not exist.</exception>
    public async Task<PhotoVetting> AddPhotoAsync(Actor actor, Guid person, Stream upload, DateOnly? takenOn, PhotoPoint? face = null, CancellationToken stopping = default)
    {
        // Before the upload is even read.
        await using (LfrStore store = await stores.CreateDbContextAsync(stopping))
        {
            PersonRecord known = await store.People.FindAsync([person], stopping) ?? throw new KeyNotFoundException("This person does not exist.");
            await DraftAsync(store, known.WatchlistId, stopping);
            Refuse(WatchlistPolicy.OfImage(installation.LimitsOf(known.Category), known.Category, takenOn, Today));
        }
        using HostBuffer<byte>? bytes = await Upload.ReadAsync(upload, WatchlistEnroller.MaximumPhotoBytes, stopping)
            ?? throw new WatchlistRefusedException([$"The photo is larger than {WatchlistEnroller.MaximumPhotoBytes >> 20} MiB. Make it smaller."]);
        using VettedPhoto vetted = await vetter.VetAsync(bytes, face, stopping);
        PhotoVetting? made = null;
        await ChangePersonAsync(actor, person, (store, record, entries) =>
        {
            if (record.Photos.Count >= MostPhotosPerPerson)
                throw new WatchlistRefusedException([$"A person can have at most {MostPhotosPerPerson} photos. Remove one first."]);
            PhotoRecord photo = records.NewPhoto(record, vetted, takenOn);
            store.Add(photo);
            entries.Note("watchlist.photo-added", Subject(record.WatchlistId), new { Person = person, Photo = photo.Id, Verdict = photo.Verdict.ToString().ToLowerInvariant() });
            made = View(photo) with { Faces = vetted.Faces };
        }, stopping);
        return made!;
    }

    /// <summary>People of a watchlist with their details, in the order in which they were added. The view is recorded in the audit trail.</summary>
    /// <param name="actor">Who looks.</param>
    /// <param name="watchlist">Which.</param>
    /// <param name="search">Only people whose name, reference or entry contains this; empty for all.</param>
    /// <param name="skip">People to leave out at the beginning.</param>
    /// <param name="take">People to return at most.</param>
    /// <param name="stopping">Before it is done.</param>
    /// <exception cref="KeyNotFoundException">This watchlist does not exist.</exception>
    /// <exception cref="WatchlistRefusedException">It is destroyed.</exception>
    public async Task<PeopleFound> ViewAsync(Actor actor, Guid watchlist, string? search, int skip, int take, CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        WatchlistRecord record = await FindAsync(store, watchlist, stopping);
        if (record.State == WatchlistState.Destroyed)
            throw new WatchlistRefusedException([Destroyed]);
        string wanted = (search ?? "").Trim();
        IQueryable<PersonRecord> listed = store.People.AsNoTracking().Where(p => p.WatchlistId == watchlist).OrderBy(p => p.AddedAt).ThenBy(p => p.Id);
        // Names are sealed: the store cannot search them.
        Guid[] matches = wanted.Length == 0 ? await listed.Select(p => p.Id).ToArrayAsync(stopping)
            : [.. (await listed.ToListAsync(stopping)).Where(p => Matches(p, records.Details(p), wanted)).Select(p => p.Id)];
        Guid[] page = [.. matches.Skip(skip).Take(take)];
        List<PersonRecord> people = await store.People.AsNoTracking().Include(p => p.Photos).Where(p => page.Contains(p.Id)).OrderBy(p => p.AddedAt).ThenBy(p => p.Id).ToListAsync(stopping);
        PersonView[] views = [.. people.Select(p => new PersonView(p.Id, p.Category, records.Details(p), p.ReviewedOn, p.RolePlayer, [.. p.Photos.OrderBy(f => f.Id).Select(View)]))];
        if (views.Length > 0)
            await journal.NoteAsync(actor, "watchlist.person-viewed", Subject(watchlist), new { People = people.Select(p => p.Id) }, stopping);
        return new PeopleFound(matches.Length, views);
    }

    /// <summary>The remarks of a watchlist that is not destroyed; empty if there are none.</summary>
    public string RemarksOf(WatchlistRecord watchlist) => records.Remarks(watchlist);

    /// <summary>People and usable photos of the watchlists that exist, as they are now.</summary>
    public async Task<IReadOnlyDictionary<Guid, ListCount>> CountsAsync(CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        Dictionary<Guid, int> people = await store.People.GroupBy(p => p.WatchlistId).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, stopping);
        Dictionary<Guid, int> photos = await store.Photos.Where(f => f.Verdict != PhotoVerdict.Rejected).Join(store.People, f => f.PersonId, p => p.Id, (f, p) => p.WatchlistId)
            .GroupBy(w => w).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, stopping);
        return people.ToDictionary(p => p.Key, p => new ListCount(p.Value, photos.GetValueOrDefault(p.Key)));
    }

    /// <summary>Finds people of a watchlist who look alike, including one person under two entries.</summary>
    /// <exception cref="KeyNotFoundException">This watchlist does not exist.</exception>
    public async Task<IReadOnlyList<Lookalikes>> SimilarAsync(Guid watchlist, CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        List<PersonRecord> people = await PeopleAsync(store, watchlist, stopping);
        return await Task.Run<IReadOnlyList<Lookalikes>>(() =>
        {
            using WatchlistBuilder builder = records.NewBuilder(watchlist);
            records.Collect(builder, people);
            if (builder.IdentityCount == 0)
                return [];
            using Watchlist list = builder.Build();
            return [.. SimilarityWarning.Look(list, EmbedderThreshold.Default(vetter.Embedder), stopping).Select(s => new Lookalikes(Guid.Parse(s.FirstId), Guid.Parse(s.SecondId), s.Score, s.Meaning))];
        }, stopping);
    }

    /// <summary>Why a watchlist cannot be built; empty if it can.</summary>
    /// <exception cref="KeyNotFoundException">This watchlist does not exist.</exception>
    public async Task<IReadOnlyList<string>> RefusalsAsync(Guid watchlist, CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        WatchlistRecord record = await FindAsync(store, watchlist, stopping);
        return record.State == WatchlistState.Draft ? [.. RefusalsOf(await PeopleAsync(store, watchlist, stopping))] : [Closed(record.State)];
    }

    /// <summary>Builds the file that deployments search. The watchlist cannot be changed afterwards.</summary>
    /// <exception cref="WatchlistRefusedException">The policy does not allow it; all reasons are listed.</exception>
    /// <exception cref="KeyNotFoundException">This watchlist does not exist.</exception>
    public Task BuildAsync(Actor actor, Guid watchlist, CancellationToken stopping = default) => InTurnAsync(async () =>
    {
        await using LfrStore reading = await stores.CreateDbContextAsync(stopping);
        await DraftAsync(reading, watchlist, stopping);
        List<PersonRecord> people = await PeopleAsync(reading, watchlist, stopping);
        Refuse(RefusalsOf(people));
        string path = FileOf(watchlist);
        int templates = await Task.Run(() =>
        {
            using WatchlistBuilder builder = records.NewBuilder(watchlist);
            records.Collect(builder, people);
            using Watchlist list = builder.Build();
            using HostBuffer<byte> secret = vault.Read(watchlist);
            using WatchlistKey key = WatchlistKey.FromBytes(secret.Span);
            WatchlistFile.Write(path, list, key);
            return list.PhotoCount;
        }, stopping);
        string hash = PackageCache.HashOf(path);
        await journal.ChangeAsync(actor, async (store, entries) =>
        {
            WatchlistRecord record = await DraftAsync(store, watchlist, stopping);
            record.State = WatchlistState.Built;
            record.BuiltAt = time.GetUtcNow();
            record.FileSha256 = hash;
            record.EmbedderSha256 = vetter.Embedder.Sha256;
            record.People = people.Count;
            record.Templates = templates;
            entries.Note("watchlist.built", Subject(watchlist), new { People = people.Count, templates, FileSha256 = hash });
        }, stopping);
        return true;
    }, stopping);

    /// <summary>Opens a built watchlist for a run; the caller disposes it. An identity's id is its person's, 32 hexadecimal digits.</summary>
    /// <exception cref="WatchlistRefusedException">The watchlist is not built, or its file has been altered.</exception>
    /// <exception cref="WatchlistException">The file is missing or cannot be read.</exception>
    /// <exception cref="KeyDestroyedException">It is destroyed.</exception>
    public Watchlist Open(WatchlistRecord record)
    {
        if (record.State != WatchlistState.Built)
            throw new WatchlistRefusedException([record.State == WatchlistState.Draft ? "The watchlist is not built yet. Build it first." : Closed(record.State)]);
        string path = FileOf(record.Id);
        using HostBuffer<byte> secret = vault.Read(record.Id);
        using WatchlistKey key = WatchlistKey.FromBytes(secret.Span);
        if (!File.Exists(path) || PackageCache.HashOf(path) != record.FileSha256)
            throw new WatchlistRefusedException(["The watchlist's file is missing or has been altered. Destroy the watchlist and build a new one."]);
        return WatchlistFile.Read(path, key, record.EmbedderSha256);
    }

    /// <summary>Destroys a watchlist: its key first, then its file and its records. After an interruption, call it again to finish.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="watchlist">Which.</param>
    /// <param name="reason">Why, for the receipt and the audit.</param>
    /// <param name="stopping">Before it is done.</param>
    /// <exception cref="WatchlistRefusedException">A deployment is using it.</exception>
    /// <exception cref="KeyNotFoundException">This watchlist does not exist.</exception>
    /// <exception cref="CommandFailure">The receipt cannot be written. Nothing can be read any more; call it again to finish.</exception>
    public Task DestroyAsync(Actor actor, Guid watchlist, string reason, CancellationToken stopping = default) => InTurnAsync(async () =>
    {
        await using (LfrStore reading = await stores.CreateDbContextAsync(stopping))
        {
            WatchlistRecord known = await FindAsync(reading, watchlist, stopping);
            if (known.State == WatchlistState.Destroyed)
                return true;
            if (await reading.Deployments.AnyAsync(d => d.WatchlistId == watchlist && (d.State == DeploymentState.Running || d.State == DeploymentState.Paused), stopping))
                throw new WatchlistRefusedException(["A deployment is using this watchlist. End the deployment first."]);
        }
        vault.Destroy(watchlist);
        File.Delete(FileOf(watchlist));
        await journal.ChangeAsync(actor, async (store, entries) =>
        {
            WatchlistRecord record = await FindAsync(store, watchlist, stopping);
            DateTimeOffset now = time.GetUtcNow();
            int photos = await store.Photos.Where(f => store.People.Any(p => p.Id == f.PersonId && p.WatchlistId == watchlist)).ExecuteDeleteAsync(stopping);
            int people = await store.People.Where(p => p.WatchlistId == watchlist).ExecuteDeleteAsync(stopping);
            var receipt = new DestructionReceipt(DestructionReceipt.CurrentFormat, watchlist, record.Name, record.CreatedAt, record.BuiltAt, record.FileSha256, people, photos, now, actor.Name, reason);
            string name = $"watchlist-{watchlist:N}.json";
            using (InstallationKey key = InstallationKey.Open())
                receipt.Write(installation.DataPath("receipts", name), key);
            record.State = WatchlistState.Destroyed;
            record.SealedRemarks = null;
            record.DestroyedAt = now;
            entries.Note("watchlist.destroyed", Subject(watchlist), new { reason, Receipt = name });
        }, stopping);
        await using LfrStore after = await stores.CreateDbContextAsync(stopping);
        // The write-ahead log contains the removed (encrypted) pages until it is truncated.
        if (after is SqliteStore)
            await after.Database.ExecuteSqlAsync($"PRAGMA wal_checkpoint(TRUNCATE)", stopping);
        return true;
    }, stopping);

    /// <summary>Finishes what a crash or a power cut interrupted: a watchlist without its key is destroyed completely, and a file without a record is removed.</summary>
    public async Task RecoverAsync(CancellationToken stopping)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        List<WatchlistRecord> known = await store.Watchlists.AsNoTracking().Where(w => w.State != WatchlistState.Destroyed).ToListAsync(stopping);
        foreach (WatchlistRecord lost in known.Where(w => !vault.Has(w.Id)))
            await DestroyAsync(Actor.Engine, lost.Id, "its destruction was interrupted after its key was destroyed", stopping);
        string[] wanted = [.. known.Where(w => w.State == WatchlistState.Built && vault.Has(w.Id)).Select(w => FileOf(w.Id))];
        foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(FileOf(Guid.Empty))!).Except(wanted))
            File.Delete(file);
    }

    public void Dispose() => turn.Dispose();

    /// <summary>Subject of audit entries about a watchlist.</summary>
    internal static string Subject(Guid watchlist) => $"watchlist/{watchlist}";

    private const string Destroyed = "This watchlist has been destroyed. Nothing in it can be read.";

    private static bool Matches(PersonRecord person, PersonDetails details, string wanted) =>
        details.Name.Contains(wanted, StringComparison.OrdinalIgnoreCase) || details.Reference.Contains(wanted, StringComparison.OrdinalIgnoreCase) || $"{person.Id:N}".EndsWith(wanted, StringComparison.OrdinalIgnoreCase);

    private static string Closed(WatchlistState state) => state == WatchlistState.Built
        ? "The watchlist is built and can no longer be changed. Create a new one."
        : "The watchlist has been destroyed. Create a new one.";

    private static PhotoVetting View(PhotoRecord photo) => new(photo.Id, photo.Verdict, photo.Reasons.Split("; ", StringSplitOptions.RemoveEmptyEntries), photo.Quality, photo.TakenOn);

    private static void Refuse(string? reason)
    {
        if (reason is not null)
            throw new WatchlistRefusedException([reason]);
    }

    private static void Refuse(IEnumerable<string> reasons)
    {
        string[] all = [.. reasons];
        if (all.Length > 0)
            throw new WatchlistRefusedException(all);
    }

    private static async Task<WatchlistRecord> FindAsync(LfrStore store, Guid watchlist, CancellationToken stopping) =>
        await store.Watchlists.FindAsync([watchlist], stopping) ?? throw new KeyNotFoundException("This watchlist does not exist.");

    private static async Task<WatchlistRecord> DraftAsync(LfrStore store, Guid watchlist, CancellationToken stopping)
    {
        WatchlistRecord record = await FindAsync(store, watchlist, stopping);
        return record.State == WatchlistState.Draft ? record : throw new WatchlistRefusedException([Closed(record.State)]);
    }

    private static Task<List<PersonRecord>> PeopleAsync(LfrStore store, Guid watchlist, CancellationToken stopping) =>
        store.People.AsNoTracking().Include(p => p.Photos).Where(p => p.WatchlistId == watchlist).OrderBy(p => p.AddedAt).ThenBy(p => p.Id).ToListAsync(stopping);

    private string FileOf(Guid watchlist) => installation.DataPath("watchlists", $"{watchlist:N}.lfr");

    /// <summary>A new record; nothing is stored yet.</summary>
    /// <exception cref="WatchlistRefusedException">The name will not do.</exception>
    internal WatchlistRecord NewWatchlist(Guid id, string name) =>
        new() { Id = id, Name = NameOf(name), CreatedAt = time.GetUtcNow(), DestroyBy = new RetentionPolicy(installation).DestroyUnusedWatchlistBy(time.GetUtcNow()) };

    private static string NameOf(string name) => name.Trim() is { Length: > 0 and <= MostName } kept && Shown.IsPlain(kept)
        ? kept
        : throw new WatchlistRefusedException([$"The name of a watchlist must have 1 to {MostName} characters that can be seen."]);

    /// <summary>Violations of the policy by the number of people, by category.</summary>
    internal IEnumerable<string> Sizes(List<PersonRecord> people) =>
        people.GroupBy(p => p.Category).Select(g => WatchlistPolicy.OfSize(installation.LimitsOf(g.Key), g.Key, g.Count())).OfType<string>();

    private IEnumerable<string> RefusalsOf(List<PersonRecord> people)
    {
        if (people.Count == 0)
            yield return "The watchlist is empty. Add people first.";
        foreach (string size in Sizes(people))
            yield return size;
        foreach (PersonRecord person in people)
        {
            string where = $"Entry {$"{person.Id:N}"[^8..]}: ";
            CategoryPolicy policy = installation.LimitsOf(person.Category);
            foreach (string against in WatchlistPolicy.OfEntry(policy, person.Category, records.Details(person), person.ReviewedOn, Today))
                yield return where + against;
            PhotoRecord[] usable = [.. person.Photos.Where(records.IsUsable)];
            foreach (string against in usable.Select(p => WatchlistPolicy.OfImage(policy, person.Category, p.TakenOn, Today)).OfType<string>().Distinct())
                yield return where + against;
            if (usable.Length == 0)
                yield return where + (person.Photos.Any(p => p.Verdict != PhotoVerdict.Rejected)
                    ? "Its photos were checked with another model, and the current model cannot use their faces. Add other photos."
                    : "No usable photo. Add one that passes the quality check, or remove the person.");
        }
    }

    /// <summary>Changes a person of a draft, serialised and with an audit entry.</summary>
    internal Task<bool> ChangePersonAsync(Actor actor, Guid person, Action<LfrStore, PersonRecord, Entries> change, CancellationToken stopping) => InTurnAsync(() => journal.ChangeAsync(actor, async (store, entries) =>
    {
        PersonRecord record = await store.People.Include(p => p.Photos).FirstOrDefaultAsync(p => p.Id == person, stopping) ?? throw new KeyNotFoundException("This person does not exist.");
        await DraftAsync(store, record.WatchlistId, stopping);
        change(store, record, entries);
        return true;
    }, stopping), stopping);

    // A build takes seconds, and the list must not change before it is recorded.
    private async Task<T> InTurnAsync<T>(Func<Task<T>> work, CancellationToken stopping)
    {
        await turn.WaitAsync(stopping);
        try
        {
            return await work();
        }
        finally
        {
            turn.Release();
        }
    }

    // The key first: a crash may leave a key without a record, but never a record without a key.
    internal async Task<T> WithNewKeyAsync<T>(Func<Guid, Task<T>> work, Func<T, bool>? keep = null)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow());
        vault.Create(id);
        bool kept = false;
        try
        {
            T result = await work(id);
            kept = keep?.Invoke(result) ?? true;
            return result;
        }
        finally
        {
            if (!kept)
                vault.Destroy(id);
        }
    }
}
