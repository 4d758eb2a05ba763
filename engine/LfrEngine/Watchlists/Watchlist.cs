using LfrEngine.Matching;
using LfrEngine.Memory;

namespace LfrEngine.Watchlists;

/// <summary>One immutable version of a watchlist, with templates from one embedder. The owner disposes it, which wipes.</summary>
/// <remarks>Made by <see cref="WatchlistBuilder"/> or <see cref="WatchlistFile"/>. Reading is thread-safe until <see cref="Dispose"/>. Embeddings and photos live in locked memory.</remarks>
public sealed class Watchlist : IDisposable
{
    private readonly WatchlistIdentity[] identities;
    private readonly HostBuffer<float> embeddings;
    private readonly HostBuffer<WatchlistTemplate> templates;
    private readonly HostBuffer<byte> photos;

    /// <summary>Checks everything, then takes ownership of the buffers; if it throws, the caller keeps them.</summary>
    internal Watchlist(
        WatchlistOrigin origin,
        string version,
        WatchlistIdentity[] identities,
        int templateCount,
        HostBuffer<float> embeddings,
        HostBuffer<WatchlistTemplate> templates,
        HostBuffer<byte> photos,
        int photoBytes)
    {
        WatchlistRules.CheckEmbedder(origin.EmbedderId, origin.EmbedderSha256, origin.EmbeddingLength);
        WatchlistRules.CheckVersion(version);
        CheckIdentities(identities);
        CheckTemplates(origin.EmbeddingLength, identities, templates.Span[..templateCount], embeddings.Span, photoBytes);

        Origin = origin;
        Version = version;
        TemplateCount = templateCount;
        PhotoBytes = photoBytes;
        this.identities = identities;
        this.embeddings = embeddings;
        this.templates = templates;
        this.photos = photos;
        Identities = Array.AsReadOnly(identities);
    }

    /// <summary>Permanent id of this watchlist.</summary>
    public Guid Id => Origin.Id;

    /// <summary>Version of the watchlist.</summary>
    public string Version { get; }

    /// <summary>When it was built, UTC, whole milliseconds.</summary>
    public DateTimeOffset CreatedUtc => Origin.CreatedUtc;

    /// <summary>Name of the embedder that made the templates.</summary>
    public string EmbedderId => Origin.EmbedderId;

    /// <summary>SHA-256 of that embedder's model file, 64 lower-case hexadecimal digits.</summary>
    public string EmbedderSha256 => Origin.EmbedderSha256;

    /// <summary>D, elements per embedding.</summary>
    public int EmbeddingLength => Origin.EmbeddingLength;

    /// <summary>The people; the index of an identity is its position in this list.</summary>
    public IReadOnlyList<WatchlistIdentity> Identities { get; }

    /// <summary>N, templates of all identities.</summary>
    public int TemplateCount { get; }

    /// <summary>float32 [N, D] row-major, rows of unit length, in the order the templates were added. Borrowed.</summary>
    public ReadOnlySpan<float> Embeddings => embeddings.Span[..(TemplateCount * EmbeddingLength)];

    internal WatchlistOrigin Origin { get; }

    internal int PhotoBytes { get; }

    internal ReadOnlySpan<WatchlistTemplate> Templates => templates.Span[..TemplateCount];

    internal ReadOnlySpan<byte> Photos => photos.Span[..PhotoBytes];

    /// <summary>One template's embedding, float32 [D] of unit length. Borrowed.</summary>
    public ReadOnlySpan<float> Embedding(int templateIndex) => Embeddings.Slice(Checked(templateIndex) * EmbeddingLength, EmbeddingLength);

    /// <summary>Whose template it is, an index into <see cref="Identities"/>.</summary>
    public int IdentityIndex(int templateIndex) => Templates[Checked(templateIndex)].IdentityIndex;

    /// <summary>Number of templates of uncovered photos; the others are of the same photos with covers drawn over them.</summary>
    public int PhotoCount
    {
        get
        {
            int count = 0;
            foreach (ref readonly WatchlistTemplate template in Templates)
                count += template.Cover == FaceCover.None ? 1 : 0;
            return count;
        }
    }

    /// <summary>The quality given at enrolment.</summary>
    public float Quality(int templateIndex) => Templates[Checked(templateIndex)].Quality;

    /// <summary>The cover drawn over the photo of the template; None for an uncovered photo.</summary>
    public FaceCover Cover(int templateIndex) => Templates[Checked(templateIndex)].Cover;

    /// <summary>JPEG of the face the template was made from, without what was drawn over it; empty when none was kept. Borrowed.</summary>
    public ReadOnlySpan<byte> Photo(int templateIndex)
    {
        // A covered template was made from the person's last photo before it.
        int photo = Checked(templateIndex);
        while (Templates[photo].Cover != FaceCover.None || Templates[photo].IdentityIndex != Templates[templateIndex].IdentityIndex)
            photo--;
        WatchlistTemplate template = Templates[photo];
        return Photos.Slice(template.PhotoOffset, template.PhotoBytes);
    }

    /// <summary>Wipes templates and photos. Safe to call twice.</summary>
    public void Dispose()
    {
        embeddings.Dispose();
        templates.Dispose();
        photos.Dispose();
    }

    private int Checked(int templateIndex)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(templateIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(templateIndex, TemplateCount);
        return templateIndex;
    }

    private static void CheckIdentities(WatchlistIdentity[] identities)
    {
        if (identities.Length > WatchlistRules.MaximumIdentities)
            throw WatchlistRules.Broken($"More than {WatchlistRules.MaximumIdentities} identities.");
        var ids = new HashSet<string>(identities.Length, StringComparer.Ordinal);
        foreach (WatchlistIdentity identity in identities)
        {
            WatchlistRules.CheckIdentity(identity);
            if (!ids.Add(identity.Id))
                throw WatchlistRules.Broken($"Two identities have the id '{identity.Id}'.");
        }
    }

    private static void CheckTemplates(
        int embeddingLength,
        WatchlistIdentity[] identities,
        ReadOnlySpan<WatchlistTemplate> templates,
        ReadOnlySpan<float> embeddings,
        int photoBytes)
    {
        var enrolled = new bool[identities.Length];
        int nextPhoto = 0;
        for (int i = 0; i < templates.Length; i++)
        {
            WatchlistTemplate template = templates[i];
            if ((uint)template.IdentityIndex >= (uint)identities.Length)
                throw WatchlistRules.Broken($"Template {i} belongs to no identity.");
            if (!template.HasKnownCover)
                throw WatchlistRules.Broken($"Template {i} has a cover that this format does not know.");
            WatchlistRules.CheckCover(template.Cover, enrolled[template.IdentityIndex], i);
            enrolled[template.IdentityIndex] = true;
            WatchlistRules.CheckQuality(template.Quality, i);
            WatchlistRules.CheckPhotoBytes(template.PhotoBytes, i);
            if (template.PhotoOffset != nextPhoto || template.PhotoBytes > photoBytes - nextPhoto)
                throw WatchlistRules.Broken($"The photo of template {i} is outside the photo table.");
            nextPhoto += template.PhotoBytes;
            WatchlistRules.CheckEmbedding(embeddings.Slice(i * embeddingLength, embeddingLength), i);
        }
        if (nextPhoto != photoBytes)
            throw WatchlistRules.Broken("The photo table contains bytes that belong to no template.");
        int without = enrolled.IndexOf(false);
        if (without >= 0)
            throw WatchlistRules.Broken($"Identity '{identities[without].Id}' has no template: it could never be found. Remove it or give a usable image.");
    }
}

/// <summary>What identifies a watchlist and the embedder behind it; stored unencrypted in the file's header.</summary>
internal sealed record WatchlistOrigin(Guid Id, DateTimeOffset CreatedUtc, string EmbedderId, string EmbedderSha256, int EmbeddingLength);
