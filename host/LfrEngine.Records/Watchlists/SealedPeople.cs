using System.Text;
using System.Text.Json;
using LfrEngine.Memory;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Watchlists;

/// <summary>People and photos as stored: names, details, pictures and templates encrypted with the watchlist's key.</summary>
/// <remarks>Only the face that the child process cut out and re-encoded is kept of an upload. Only what is counted is unencrypted: category, dates, verdicts.</remarks>
internal sealed class SealedPeople(KeyVault vault, PhotoVetter vetter, TimeProvider time)
{
    private const string Version = "1", RemarksPurpose = "remarks";

    /// <summary>Decrypts the details of a person.</summary>
    /// <exception cref="KeyDestroyedException">The watchlist has been destroyed.</exception>
    public PersonDetails Details(PersonRecord person)
    {
        using HostBuffer<byte> plain = vault.Unseal(person.WatchlistId, person.Sealed, PersonPurpose(person.Id));
        return JsonSerializer.Deserialize<PersonDetails>(plain.Span)!;
    }

    /// <summary>Encrypts changed details of a person.</summary>
    /// <exception cref="KeyDestroyedException">The watchlist has been destroyed.</exception>
    public void Change(PersonRecord person, PersonDetails details) => person.Sealed = vault.Seal(person.WatchlistId, JsonSerializer.SerializeToUtf8Bytes(details), PersonPurpose(person.Id));

    /// <summary>The JPEG of a photo that was not rejected, for the caller to dispose.</summary>
    /// <param name="watchlist">The watchlist.</param>
    /// <param name="photo">The photo.</param>
    /// <exception cref="KeyDestroyedException">The watchlist has been destroyed.</exception>
    public HostBuffer<byte> Photo(Guid watchlist, PhotoRecord photo) => vault.Unseal(watchlist, photo.SealedPicture, PicturePurpose(photo.Id));

    /// <summary>A new person's record; nothing is stored yet.</summary>
    public PersonRecord NewPerson(Guid watchlist, WatchlistCategory category, PersonDetails details, DateOnly reviewedOn, bool rolePlayer)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow());
        return new PersonRecord
        {
            Id = id,
            WatchlistId = watchlist,
            Category = category,
            Sealed = vault.Seal(watchlist, JsonSerializer.SerializeToUtf8Bytes(details), PersonPurpose(id)),
            ReviewedOn = reviewedOn,
            RolePlayer = rolePlayer,
            AddedAt = time.GetUtcNow(),
        };
    }

    /// <summary>A new photo's record; for a rejected photo only the verdict.</summary>
    public PhotoRecord NewPhoto(PersonRecord person, VettedPhoto vetted, DateOnly? takenOn)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow());
        bool kept = vetted.Verdict != PhotoVerdict.Rejected;
        return new PhotoRecord
        {
            Id = id,
            PersonId = person.Id,
            SealedPicture = kept ? vault.Seal(person.WatchlistId, vetted.Chip, PicturePurpose(id)) : [],
            SealedTemplate = vetted.Templates is { } templates ? Seal(person.WatchlistId, id, templates) : [],
            EmbedderSha256 = vetter.Embedder.Sha256,
            TakenOn = takenOn,
            Verdict = vetted.Verdict,
            Reasons = string.Join("; ", vetted.Reasons),
            Quality = vetted.Quality,
        };
    }

    /// <summary>A person with photos as a new record of another watchlist, sealed with its key; nothing is stored yet. Rejected photos are left out.</summary>
    public PersonRecord CopyOf(Guid watchlist, PersonRecord person)
    {
        PersonRecord copy = NewPerson(watchlist, person.Category, Details(person), person.ReviewedOn, person.RolePlayer);
        foreach (PhotoRecord photo in person.Photos.Where(p => p.Verdict != PhotoVerdict.Rejected).OrderBy(p => p.Id))
        {
            var id = Guid.CreateVersion7(time.GetUtcNow());
            copy.Photos.Add(new PhotoRecord
            {
                Id = id,
                PersonId = copy.Id,
                SealedPicture = Reseal(photo.SealedPicture, PicturePurpose(photo.Id), PicturePurpose(id)),
                SealedTemplate = Reseal(photo.SealedTemplate, TemplatePurpose(photo.Id), TemplatePurpose(id)),
                EmbedderSha256 = photo.EmbedderSha256,
                TakenOn = photo.TakenOn,
                Verdict = photo.Verdict,
                Reasons = photo.Reasons,
                Quality = photo.Quality,
            });
        }
        return copy;

        byte[] Reseal(byte[] made, string before, string after)
        {
            if (made.Length == 0)
                return [];
            using HostBuffer<byte> plain = vault.Unseal(person.WatchlistId, made, before);
            return vault.Seal(watchlist, plain.Span, after);
        }
    }

    /// <summary>Remarks as stored; null for none.</summary>
    public byte[]? SealRemarks(Guid watchlist, string remarks) => remarks.Length == 0 ? null : vault.Seal(watchlist, Encoding.UTF8.GetBytes(remarks), RemarksPurpose);

    /// <summary>Decrypts the remarks of a watchlist; empty for none.</summary>
    /// <exception cref="KeyDestroyedException">The watchlist has been destroyed.</exception>
    public string Remarks(WatchlistRecord watchlist)
    {
        if (watchlist.SealedRemarks is not { } made)
            return "";
        using HostBuffer<byte> plain = vault.Unseal(watchlist.Id, made, RemarksPurpose);
        return Encoding.UTF8.GetString(plain.Span);
    }

    /// <summary>Templates as stored.</summary>
    public byte[] Seal(Guid watchlist, Guid photo, PhotoTemplates templates)
    {
        using HostBuffer<byte> plain = BufferPool.Rent<byte>(templates.SizeBytes);
        templates.Write(plain.Span);
        return vault.Seal(watchlist, plain.Span, TemplatePurpose(photo));
    }

    /// <summary>An empty list with the same id. Owned by the caller.</summary>
    public WatchlistBuilder NewBuilder(Guid watchlist) =>
        new(Version, vetter.Embedder.Id, vetter.Embedder.Sha256, vetter.Embedder.EmbeddingLength) { Id = watchlist, CreatedUtc = time.GetUtcNow() };

    /// <summary>Whether the photo is usable: it passed the quality check, and the current model made its templates.</summary>
    public bool IsUsable(PhotoRecord photo) => photo.Verdict != PhotoVerdict.Rejected && photo.EmbedderSha256 == vetter.Embedder.Sha256;

    /// <summary>Adds people with their usable photos to a list.</summary>
    public void Collect(WatchlistBuilder builder, List<PersonRecord> people)
    {
        foreach (PersonRecord person in people)
        {
            PhotoRecord[] usable = [.. person.Photos.Where(IsUsable).OrderBy(p => p.Id)];
            if (usable.Length == 0)
                continue;
            PersonDetails details = Details(person);
            int identity = builder.AddIdentity(new WatchlistIdentity($"{person.Id:N}", details.Name, person.Category, details.Reference, usable[0].TakenOn, details.ImageSource));
            foreach (PhotoRecord photo in usable)
            {
                using HostBuffer<byte> picture = Photo(person.WatchlistId, photo);
                using HostBuffer<byte> bytes = vault.Unseal(person.WatchlistId, photo.SealedTemplate, TemplatePurpose(photo.Id));
                using PhotoTemplates templates = PhotoTemplates.Read(bytes.Span, vetter.Embedder.EmbeddingLength) ?? throw new WatchlistException(WatchlistFailure.InvalidContent, $"The templates of photo {photo.Id} are not valid.");
                templates.AddTo(builder, identity, photo.Quality, picture.Span);
            }
        }
    }

    private static string PersonPurpose(Guid person) => $"person/{person:N}";

    private static string PicturePurpose(Guid photo) => $"picture/{photo:N}";

    private static string TemplatePurpose(Guid photo) => $"template/{photo:N}";
}
