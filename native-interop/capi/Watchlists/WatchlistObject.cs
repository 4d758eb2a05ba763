using LfrEngine.CApi.Engine;
using LfrEngine.CApi.Interop;
using LfrEngine.Matching;
using LfrEngine.Watchlists;

namespace LfrEngine.CApi.Watchlists;

/// <summary>A watchlist and the gallery made of it.</summary>
internal sealed class WatchlistObject : HandleObject
{
    /// <summary>Takes the watchlist over, also when this throws.</summary>
    public WatchlistObject(Watchlist watchlist, IReadOnlyList<CoverScale> scales)
    {
        Watchlist = watchlist;
        try
        {
            Gallery = BufferPool.Complete(() => Gallery.Create(watchlist, scales));
        }
        catch
        {
            watchlist.Dispose();
            throw;
        }
    }

    public override HandleKind Kind => HandleKind.Watchlist;

    public Watchlist Watchlist { get; }

    public Gallery Gallery { get; }

    public CosineSearch Search { get; } = new();

    public void RequireModel(string embedderSha256)
    {
        if (Gallery.EmbedderSha256 != embedderSha256)
            throw new StatusException(Status.ForeignModel, "The watchlist was made with another embedder than the engine's: build it again.");
    }

    protected override void Free()
    {
        Gallery.Dispose();
        Watchlist.Dispose();
    }
}

/// <summary>A watchlist being built. One call at a time.</summary>
internal sealed class BuilderObject : HandleObject
{
    private readonly EngineObject engine;
    private readonly WatchlistBuilder builder;
    private WatchlistEnroller? enroller;
    private bool spent;

    public BuilderObject(EngineObject engine, string version)
    {
        builder = BufferPool.Complete(() => new WatchlistBuilder(version, engine.Embedder.Id, engine.Embedder.Sha256, engine.Embedder.EmbeddingLength));
        this.engine = engine;
        engine.Enter();
    }

    public override HandleKind Kind => HandleKind.Builder;

    public int AddPerson(WatchlistIdentity person)
    {
        lock (builder)
        {
            RequireUnspent();
            return builder.AddIdentity(person);
        }
    }

    public void RemovePerson(int person)
    {
        lock (builder)
        {
            RequireUnspent();
            Check.Range(person, 0, builder.IdentityCount - 1, "index");
            try
            {
                builder.RemoveIdentity(person);
            }
            catch (InvalidOperationException e)
            {
                throw new StatusException(Status.BadState, e.Message);
            }
        }
    }

    /// <summary>Judges a photo and adds it unless it is rejected.</summary>
    public void AddPhoto(int person, ReadOnlySpan<byte> file, out PhotoVerdict verdict, out float quality, out string reasons)
    {
        lock (builder)
        {
            RequireUnspent();
            Check.Range(person, 0, builder.IdentityCount - 1, "index");
            enroller ??= BufferPool.Complete(() => new WatchlistEnroller(engine.Models));
            using VettedPhoto photo = enroller.Vet(file);
            photo.Templates?.AddTo(builder, person, photo.Quality, photo.Chip);
            (verdict, quality, reasons) = (photo.Verdict, photo.Quality, string.Join("; ", photo.Reasons));
        }
    }

    public void AddTemplate(int person, TemplateObject face, float quality)
    {
        face.RequireModel(engine.Embedder.Sha256);
        lock (builder)
        {
            RequireUnspent();
            Check.Range(person, 0, builder.IdentityCount - 1, "index");
            builder.AddTemplate(person, face.Embedding, quality);
        }
    }

    public WatchlistObject Build()
    {
        lock (builder)
        {
            RequireUnspent();
            spent = true;
            return new WatchlistObject(builder.Build(), engine.Embedder.CoverScales);
        }
    }

    protected override void Free()
    {
        enroller?.Dispose();
        builder.Dispose();
        engine.Leave();
    }

    private void RequireUnspent()
    {
        if (spent)
            throw new StatusException(Status.BadState, "The builder has made its watchlist: create another.");
    }
}
