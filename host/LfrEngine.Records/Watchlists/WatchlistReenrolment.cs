using LfrEngine.Memory;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace LfrEngine.Records.Watchlists;

/// <summary>Makes templates for a new model from the photos of drafts.</summary>
internal sealed class WatchlistReenrolment(WatchlistService watchlists, SealedPeople records, IDbContextFactory<LfrStore> stores, PhotoVetter vetter, Installation installation)
{
    /// <summary>Replaces templates of drafts that another model made, from the stored pictures; person by person, so that an interruption loses at most one.</summary>
    /// <remarks>A built list is not changed, because it was signed for.</remarks>
    /// <exception cref="CommandFailure">The child cannot be started.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        string current = vetter.Embedder.Sha256;
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        List<PersonRecord> foreign = await store.People.AsNoTracking().Include(p => p.Photos)
            .Where(p => p.Photos.Any(f => f.Verdict != PhotoVerdict.Rejected && f.EmbedderSha256 != current) && store.Watchlists.Any(w => w.Id == p.WatchlistId && w.State == WatchlistState.Draft))
            .ToListAsync(stopping);
        if (foreign.Count == 0)
            return;
        using var again = WatchlistSetup.VetterOf(installation, NullLogger<PhotoVetter>.Instance, sealedFaces: true);
        foreach (PersonRecord person in foreign)
        {
            var templates = new Dictionary<Guid, byte[]>();
            foreach (PhotoRecord photo in person.Photos.Where(p => p.Verdict != PhotoVerdict.Rejected && p.EmbedderSha256 != current))
            {
                using HostBuffer<byte> picture = records.Photo(person.WatchlistId, photo);
                using VettedPhoto vetted = await again.VetAsync(picture, null, stopping);
                if (vetted.Verdict != PhotoVerdict.Rejected)
                    templates.Add(photo.Id, records.Seal(person.WatchlistId, photo.Id, vetted.Templates!));
            }
            if (templates.Count == 0)
                continue;
            await watchlists.ChangePersonAsync(Actor.Engine, person.Id, (_, record, entries) =>
            {
                foreach (PhotoRecord photo in record.Photos.Where(p => templates.ContainsKey(p.Id)))
                    (photo.SealedTemplate, photo.EmbedderSha256) = (templates[photo.Id], current);
                entries.Note("watchlist.person-re-enrolled", WatchlistService.Subject(record.WatchlistId), new { Person = record.Id, Photos = templates.Count, EmbedderSha256 = current });
            }, stopping);
        }
    }
}
