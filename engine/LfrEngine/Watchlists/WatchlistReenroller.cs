using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tracking;

namespace LfrEngine.Watchlists;

/// <summary>A face of a watchlist that the new model cannot use.</summary>
/// <param name="IdentityId">Whose.</param>
/// <param name="TemplateIndex">Which template of the old list.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record LostFace(string IdentityId, int TemplateIndex, string Reason);

/// <summary>Makes the templates of a watchlist anew, with another embedder, from the face pictures sealed in it. Used by one thread.</summary>
/// <remarks>Pictures, qualities, people, the list's id and its date stay: it is the same list, and no older or younger for it.</remarks>
public sealed class WatchlistReenroller : IDisposable
{
    // The face that was enrolled fills the middle of its picture; another at the edge is somebody else.
    private const float LeastOverlap = 0.3f;

    private readonly StillAnalyzer analyzer;
    private readonly Watchlist old;
    private readonly Watchlist? done;
    private readonly Dictionary<string, int> doneIdentities = [];
    private readonly List<LostFace> lost = [];
    private readonly List<int> sources = [];
    private readonly int[][] templatesOf;
    private readonly int[][] doneTemplatesOf;
    private int nextIdentity;

    /// <summary>Begins, or goes on with what an earlier run has done.</summary>
    /// <param name="models">The new embedder among them. Borrowed.</param>
    /// <param name="old">Borrowed.</param>
    /// <param name="done">What <see cref="WatchlistFile.WriteSoFar"/> kept of an earlier run; null to begin. Borrowed.</param>
    public WatchlistReenroller(EngineModels models, Watchlist old, Watchlist? done)
    {
        ArgumentNullException.ThrowIfNull(models);
        ArgumentNullException.ThrowIfNull(old);
        this.old = old;
        bool isOfThis = done is not null && done.Id == old.Id && done.Version == old.Version && done.CreatedUtc == old.CreatedUtc && done.EmbedderSha256 == models.Embedder.Manifest.Sha256;
        this.done = isOfThis ? done : null;
        templatesOf = ByIdentity(old);
        doneTemplatesOf = this.done is null ? [] : ByIdentity(this.done);
        for (int i = 0; i < doneTemplatesOf.Length; i++)
            doneIdentities.Add(this.done!.Identities[i].Id, i);
        Builder = new WatchlistBuilder(old.Version, models.Embedder.Manifest.Id, models.Embedder.Manifest.Sha256, models.Embedder.Manifest.EmbeddingLength) { Id = old.Id, CreatedUtc = old.CreatedUtc };
        try
        {
            analyzer = new StillAnalyzer(models, StillAnalyzer.StillSettings);
        }
        catch
        {
            Builder.Dispose();
            throw;
        }
    }

    /// <summary>The new list as it grows.</summary>
    public WatchlistBuilder Builder { get; }

    /// <summary>Faces of the old list that have been dealt with.</summary>
    public int FacesDone { get; private set; }

    /// <summary>Of those, the ones whose template an earlier run had made.</summary>
    public int FacesKept { get; private set; }

    /// <summary>Faces that the new model cannot use.</summary>
    public IReadOnlyList<LostFace> Lost => lost;

    /// <summary>For each new template the old one of the same picture.</summary>
    public IReadOnlyList<int> Sources => sources;

    /// <summary>Deals with the next person.</summary>
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
            else
                sources.Add(template);
            FacesDone++;
        }
        nextIdentity++;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Builder.Dispose();
        analyzer.Dispose();
    }

    private static int[][] ByIdentity(Watchlist list)
    {
        ILookup<int, int> templates = Enumerable.Range(0, list.TemplateCount).ToLookup(list.IdentityIndex);
        return [.. Enumerable.Range(0, list.Identities.Count).Select(i => templates[i].ToArray())];
    }

    // Null, or why the face is lost.
    private string? TryAdd(WatchlistIdentity identity, int template, ref int added)
    {
        ReadOnlySpan<byte> picture = old.Photo(template);
        if (picture.IsEmpty)
            return "the list keeps no picture of it";
        if (FindDone(identity.Id, picture) is { } known)
        {
            Add(identity, template, done!.Embedding(known), ref added);
            FacesKept++;
            return null;
        }
        try
        {
            using MediaFrame frame = MediaReader.ReadPicture(picture);
            FrameView view = FrameLease.ViewOf(frame);
            if (FindFace(view) is not { } face)
                return "the detector does not find the face in its picture";
            using StillFace? still = analyzer.Embed(view, face);
            if (still is null)
                return "no usable landmarks";
            Add(identity, template, still.Embedding.Span, ref added);
            return null;
        }
        catch (MediaException)
        {
            return "its picture cannot be decoded";
        }
        finally
        {
            analyzer.Wipe();
        }
    }

    private void Add(WatchlistIdentity identity, int template, ReadOnlySpan<float> embedding, ref int added)
    {
        if (added < 0)
            added = Builder.AddIdentity(identity);
        Builder.AddTemplate(added, embedding, old.Quality(template), old.Photo(template));
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

    private FaceCandidate? FindFace(in FrameView view)
    {
        FaceBox middle = BestShotSelector.FaceIn(view.Width, view.Height);
        FaceCandidate? best = null;
        float most = LeastOverlap;
        foreach (FaceCandidate face in analyzer.Detect(view))
        {
            if (face.Box.IoU(middle) is var overlap && overlap >= most)
                (best, most) = (face, overlap);
        }
        return best;
    }
}
