using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;

namespace LfrEngine.Watchlists;

/// <summary>A face of a watchlist that the new model cannot use.</summary>
/// <param name="IdentityId">Whose.</param>
/// <param name="TemplateIndex">Which template of the old list.</param>
/// <param name="Reason">Why, as text for people.</param>
public sealed record LostFace(string IdentityId, int TemplateIndex, string Reason);

/// <summary>Makes the templates of a watchlist for another embedder, from the face pictures stored in it. Used by one thread.</summary>
/// <remarks>Pictures, qualities, people, the list's id and its date are kept: it is the same list.</remarks>
public sealed class WatchlistReenroller : IDisposable
{
    private readonly Func<HostBuffer<byte>, VettedPhoto> vet;
    private readonly Watchlist old;
    private readonly Watchlist? done;
    private readonly Dictionary<string, int> doneIdentities = [];
    private readonly List<LostFace> lost = [];
    private readonly List<int> sources = [];
    private readonly int[][] templatesOf;
    private readonly int[][] doneTemplatesOf;
    private int nextIdentity;

    /// <summary>Begins, or continues an earlier run.</summary>
    /// <param name="embedder">The new one.</param>
    /// <param name="old">Borrowed.</param>
    /// <param name="done">What <see cref="WatchlistFile.WriteSoFar"/> kept of an earlier run; null to begin. Ignored if it is of another list or embedder. Borrowed.</param>
    /// <param name="vet">What <see cref="SealedFaceEnroller.Vet"/> makes of a picture, here or in another process.</param>
    public WatchlistReenroller(ModelManifest embedder, Watchlist old, Watchlist? done, Func<HostBuffer<byte>, VettedPhoto> vet)
    {
        ArgumentNullException.ThrowIfNull(embedder);
        ArgumentNullException.ThrowIfNull(old);
        ArgumentNullException.ThrowIfNull(vet);
        (this.old, this.vet) = (old, vet);
        bool isOfThis = done is not null && done.Id == old.Id && done.Version == old.Version && done.CreatedUtc == old.CreatedUtc && done.EmbedderSha256 == embedder.Sha256;
        this.done = isOfThis ? done : null;
        templatesOf = ByIdentity(old);
        doneTemplatesOf = this.done is null ? [] : ByIdentity(this.done);
        for (int i = 0; i < doneTemplatesOf.Length; i++)
            doneIdentities.Add(this.done!.Identities[i].Id, i);
        Builder = new WatchlistBuilder(old.Version, embedder.Id, embedder.Sha256, embedder.EmbeddingLength) { Id = old.Id, CreatedUtc = old.CreatedUtc };
    }

    /// <summary>The new list as it grows.</summary>
    public WatchlistBuilder Builder { get; }

    /// <summary>Photos of the old list that have been processed.</summary>
    public int FacesDone { get; private set; }

    /// <summary>Of those, the ones whose template an earlier run had made.</summary>
    public int FacesKept { get; private set; }

    /// <summary>Faces that the new model cannot use.</summary>
    public IReadOnlyList<LostFace> Lost => lost;

    /// <summary>For each new template the old one of the same picture.</summary>
    public IReadOnlyList<int> Sources => sources;

    /// <summary>Processes the next person.</summary>
    /// <returns>False when there is none left.</returns>
    public bool Next()
    {
        if (nextIdentity == old.Identities.Count)
            return false;
        WatchlistIdentity identity = old.Identities[nextIdentity];
        int added = -1;
        foreach (int template in templatesOf[nextIdentity])
        {
            if (TryAdd(identity, template, ref added) is { } reason)
                lost.Add(new LostFace(identity.Id, template, reason));
            // Including its covered templates.
            while (sources.Count < Builder.TemplateCount)
                sources.Add(template);
            FacesDone++;
        }
        nextIdentity++;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => Builder.Dispose();

    private static int[][] ByIdentity(Watchlist list)
    {
        ILookup<int, int> templates = Enumerable.Range(0, list.TemplateCount).Where(t => list.Cover(t) == FaceCover.None).ToLookup(list.IdentityIndex);
        return [.. Enumerable.Range(0, list.Identities.Count).Select(i => templates[i].ToArray())];
    }

    // Null, or why the face is lost.
    private string? TryAdd(WatchlistIdentity identity, int template, ref int added)
    {
        ReadOnlySpan<byte> picture = old.Photo(template);
        if (picture.IsEmpty)
            return "the list has no picture of this face";
        if (FindDone(identity.Id, picture) is { } known)
        {
            Begin(identity, ref added);
            for (int t = known; t == known || (t < done!.TemplateCount && done.Cover(t) != FaceCover.None); t++)
                Builder.AddTemplate(added, done!.Embedding(t), old.Quality(template), t == known ? picture : [], done.Cover(t));
            FacesKept++;
            return null;
        }
        using HostBuffer<byte> copy = BufferPool.Rent<byte>(picture.Length);
        picture.CopyTo(copy.Span);
        using VettedPhoto vetted = vet(copy);
        if (vetted.Verdict == PhotoVerdict.Rejected)
            return string.Join("; ", vetted.Reasons);
        Begin(identity, ref added);
        vetted.Templates!.AddTo(Builder, added, old.Quality(template), picture);
        return null;
    }

    private void Begin(WatchlistIdentity identity, ref int added)
    {
        if (added < 0)
            added = Builder.AddIdentity(identity);
    }

    private int? FindDone(string id, ReadOnlySpan<byte> picture)
    {
        if (!doneIdentities.TryGetValue(id, out int identity))
            return null;
        foreach (int template in doneTemplatesOf[identity])
        {
            if (done!.Photo(template).SequenceEqual(picture))
                return template;
        }
        return null;
    }
}
