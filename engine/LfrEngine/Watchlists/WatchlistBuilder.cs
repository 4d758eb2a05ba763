using LfrEngine.Matching;
using LfrEngine.Memory;

namespace LfrEngine.Watchlists;

/// <summary>Collects identities and templates in locked memory until <see cref="Build"/>. One thread.</summary>
public sealed class WatchlistBuilder : IDisposable
{
    private readonly string version;
    private readonly string embedderId;
    private readonly string embedderSha256;
    private readonly int embeddingLength;
    private readonly List<WatchlistIdentity> identities = [];
    private readonly HashSet<string> ids = new(StringComparer.Ordinal);
    private readonly List<bool> hasPhoto = [];
    private readonly GrowingBuffer<float> embeddings;
    private readonly GrowingBuffer<WatchlistTemplate> templates;
    private readonly GrowingBuffer<byte> photos;
    private bool built;

    /// <summary>Begins an empty watchlist.</summary>
    /// <param name="version">Version of the watchlist; 1…128 characters.</param>
    /// <param name="embedderId">Name of the embedder; 1…128 characters.</param>
    /// <param name="embedderSha256">SHA-256 of the embedder's model file, 64 lower-case hexadecimal digits.</param>
    /// <param name="embeddingLength">D, 1…4096.</param>
    /// <exception cref="WatchlistException"><see cref="WatchlistFailure.InvalidContent"/>.</exception>
    public WatchlistBuilder(string version, string embedderId, string embedderSha256, int embeddingLength)
    {
        WatchlistRules.CheckVersion(version);
        WatchlistRules.CheckEmbedder(embedderId, embedderSha256, embeddingLength);
        this.version = version;
        this.embedderId = embedderId;
        this.embedderSha256 = embedderSha256;
        this.embeddingLength = embeddingLength;
        embeddings = new GrowingBuffer<float>();
        templates = new GrowingBuffer<WatchlistTemplate>();
        photos = new GrowingBuffer<byte>();
    }

    /// <summary>The watchlist's id; keep it when a new version of the same watchlist is built.</summary>
    public Guid Id { get; set; } = Guid.NewGuid();

    /// <summary>When it counts as built; kept to whole milliseconds.</summary>
    public DateTimeOffset CreatedUtc { get; set; } = DateTimeOffset.UtcNow;

    /// <summary>Identities added so far.</summary>
    public int IdentityCount => identities.Count;

    /// <summary>Templates added so far.</summary>
    public int TemplateCount => templates.Count;

    internal WatchlistOrigin Origin => new(Id, DateTimeOffset.FromUnixTimeMilliseconds(CreatedUtc.ToUnixTimeMilliseconds()), embedderId, embedderSha256, embeddingLength);

    internal WatchlistMetadata Metadata => new(version, [.. identities]);

    internal ReadOnlySpan<float> Embeddings => embeddings.Written;

    internal ReadOnlySpan<WatchlistTemplate> Templates => templates.Written;

    internal ReadOnlySpan<byte> Photos => photos.Written;

    /// <summary>Adds a person.</summary>
    /// <returns>The identity's index.</returns>
    /// <exception cref="WatchlistException"><see cref="WatchlistFailure.InvalidContent"/>: an empty or repeated id, or text outside the limits. Nothing was added.</exception>
    public int AddIdentity(WatchlistIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        WatchlistRules.CheckIdentity(identity);
        if (identities.Count == WatchlistRules.MaximumIdentities)
            throw WatchlistRules.Broken($"More than {WatchlistRules.MaximumIdentities} identities.");
        if (!ids.Add(identity.Id))
            throw WatchlistRules.Broken($"Two identities have the id '{identity.Id}'.");
        identities.Add(identity);
        hasPhoto.Add(false);
        return identities.Count - 1;
    }

    /// <summary>Removes a person who has no template. Those added later move up by one place.</summary>
    /// <param name="identityIndex">From <see cref="AddIdentity"/>.</param>
    /// <exception cref="InvalidOperationException">The person has a template.</exception>
    public void RemoveIdentity(int identityIndex)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(identityIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(identityIndex, identities.Count);
        if (hasPhoto[identityIndex])
            throw new InvalidOperationException($"'{identities[identityIndex].Id}' has a photo: only a person without one can be removed.");
        ids.Remove(identities[identityIndex].Id);
        identities.RemoveAt(identityIndex);
        hasPhoto.RemoveAt(identityIndex);
        foreach (ref WatchlistTemplate template in templates.Items)
        {
            if (template.IdentityIndex > identityIndex)
                template = template with { IdentityIndex = template.IdentityIndex - 1 };
        }
    }

    /// <summary>Adds a template of a person already added.</summary>
    /// <param name="identityIndex">From <see cref="AddIdentity"/>.</param>
    /// <param name="embedding">float32 [D], finite, unit length within 1e-3. Copied.</param>
    /// <param name="quality">Finite; higher is better.</param>
    /// <param name="photo">JPEG of the face, at most 1 MiB; may be empty. Copied.</param>
    /// <param name="cover">The cover drawn over the photo; None for an uncovered photo. A covered template belongs to the person's last photo before it.</param>
    /// <returns>The template's index.</returns>
    /// <exception cref="WatchlistException"><see cref="WatchlistFailure.InvalidContent"/>. Nothing was added.</exception>
    public int AddTemplate(int identityIndex, ReadOnlySpan<float> embedding, float quality, ReadOnlySpan<byte> photo = default, FaceCover cover = FaceCover.None)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(identityIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(identityIndex, identities.Count);
        int index = templates.Count;
        if (embedding.Length != embeddingLength)
            throw WatchlistRules.Broken($"Template {index} has {embedding.Length} elements; this watchlist's embeddings have {embeddingLength}.");
        WatchlistRules.CheckEmbedding(embedding, index);
        WatchlistRules.CheckQuality(quality, index);
        WatchlistRules.CheckPhotoBytes(photo.Length, index);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)cover, (int)(FaceCover.LowerFace | FaceCover.Eyes | FaceCover.Brow), nameof(cover));
        WatchlistRules.CheckCover(cover, hasPhoto[identityIndex], index);
        if (embedding.Length > WatchlistRules.MaximumEmbeddingElements - embeddings.Count || photo.Length > Array.MaxLength - photos.Count)
            throw WatchlistRules.Broken("The watchlist is full: templates or photos would exceed 2 GiB.");

        // Allocates first, so that nothing has been added if memory runs out.
        embeddings.Reserve(embedding.Length);
        photos.Reserve(photo.Length);
        templates.Reserve(1);
        templates.Append([new WatchlistTemplate { IdentityIndex = identityIndex, Quality = quality, PhotoOffset = photos.Count, PhotoBytes = photo.Length, Cover = cover }]);
        embeddings.Append(embedding);
        photos.Append(photo);
        hasPhoto[identityIndex] = true;
        return index;
    }

    /// <summary>Adds all templates of a photo; if that fails, none.</summary>
    internal void AddPhoto(int identityIndex, PhotoTemplates photo, float quality, ReadOnlySpan<byte> chip)
    {
        (int rows, int table, int pictures) = (embeddings.Count, templates.Count, photos.Count);
        bool had = identityIndex >= 0 && identityIndex < identities.Count && hasPhoto[identityIndex];
        try
        {
            for (int i = 0; i < photo.Count; i++)
                AddTemplate(identityIndex, photo[i], quality, i == 0 ? chip : [], photo.Cover(i));
        }
        catch
        {
            embeddings.CutTo(rows);
            photos.CutTo(pictures);
            if (templates.Count > table)
                hasPhoto[identityIndex] = had;
            templates.CutTo(table);
            throw;
        }
    }

    /// <summary>Builds the watchlist, which takes ownership of the templates; the builder cannot be used afterwards.</summary>
    /// <exception cref="WatchlistException"><see cref="WatchlistFailure.InvalidContent"/>: an identity has no template.</exception>
    public Watchlist Build()
    {
        if (built)
            throw new InvalidOperationException("This builder has already built its watchlist.");
        WatchlistOrigin origin = Origin;
        int templateCount = templates.Count;
        int photoBytes = photos.Count;
        HostBuffer<float> rows = embeddings.Detach();
        HostBuffer<WatchlistTemplate> table = templates.Detach();
        HostBuffer<byte> pictures = photos.Detach();
        built = true;
        try
        {
            return new Watchlist(origin, version, [.. identities], templateCount, rows, table, pictures, photoBytes);
        }
        catch
        {
            rows.Dispose();
            table.Dispose();
            pictures.Dispose();
            throw;
        }
    }

    /// <summary>Wipes what was collected and not built. Safe to call twice.</summary>
    public void Dispose()
    {
        embeddings.Dispose();
        templates.Dispose();
        photos.Dispose();
    }
}
