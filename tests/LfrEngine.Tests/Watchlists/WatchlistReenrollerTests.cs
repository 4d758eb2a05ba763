using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Watchlists;

/// <summary>A list for another embedder: what is kept of the old one, what an earlier run has done, and what cannot be used.</summary>
[Collection(CountsRentedBuffers.Name)]
public sealed class WatchlistReenrollerTests : IDisposable
{
    private const int NewLength = 5;

    private readonly long rentedBefore = BufferPool.OutstandingBlocks;
    private readonly TemporaryDirectory directory = new();
    private readonly ModelManifest embedder = Embedder('b');
    private int asked;
    private FaceCover[] covers = [];

    /// <summary>Every test here ends with nothing rented.</summary>
    public void Dispose()
    {
        directory.Dispose();
        Assert.Equal(rentedBefore, BufferPool.OutstandingBlocks);
    }

    [Fact]
    public void Next_ToTheEnd_KeepsAllButTheTemplates()
    {
        using Watchlist old = WithPhotos();
        using var reenroller = new WatchlistReenroller(embedder, old, null, Embed);

        using Watchlist list = Finish(reenroller);

        Assert.Equal((old.Id, old.Version, old.CreatedUtc), (list.Id, list.Version, list.CreatedUtc));
        Assert.Equal((embedder.Id, embedder.Sha256, NewLength), (list.EmbedderId, list.EmbedderSha256, list.EmbeddingLength));
        Assert.Equal(old.Identities, list.Identities);
        Assert.Equal(old.TemplateCount, list.TemplateCount);
        for (int i = 0; i < list.TemplateCount; i++)
        {
            int source = reenroller.Sources[i];
            Assert.Equal(old.Identities[old.IdentityIndex(source)], list.Identities[list.IdentityIndex(i)]);
            Assert.Equal(old.Quality(source), list.Quality(i));
            Assert.True(old.Photo(source).SequenceEqual(list.Photo(i)));
            Assert.Equal(TemplateOf(old.Photo(source)), list.Embedding(i).ToArray());
        }
    }

    [Fact]
    public void Next_AfterAnEarlierRun_AsksOnlyForWhatThatHadNotDone()
    {
        using Watchlist old = WithPhotos();
        using WatchlistKey key = WatchlistKey.FromPassphrase("a passphrase", 1);
        string partial = directory["list.partial-list"];
        using (var first = new WatchlistReenroller(embedder, old, null, Embed))
        {
            for (int i = 0; i < 4; i++)
                Assert.True(first.Next());
            WatchlistFile.WriteSoFar(partial, first.Builder, key);
            using Watchlist whole = Finish(first);
            int before = asked;
            asked = 0;
            using Watchlist done = WatchlistFile.Read(partial, key, embedder.Sha256);

            using var second = new WatchlistReenroller(embedder, old, done, Embed);
            using Watchlist resumed = Finish(second);

            WatchlistSamples.AssertEqual(whole, resumed);
            Assert.Equal(done.TemplateCount, second.FacesKept);
            Assert.Equal(before - done.TemplateCount, asked);
            Assert.InRange(asked, 1, before - 1);
        }
    }

    [Theory]
    [InlineData("another list")]
    [InlineData("another embedder")]
    public void Next_ProgressOfAnotherList_BeginsAgain(string kind)
    {
        using Watchlist old = WithPhotos(), other = WithPhotos();
        using var first = new WatchlistReenroller(kind == "another embedder" ? Embedder('c') : embedder, kind == "another list" ? other : old, null, Embed);
        using Watchlist done = Finish(first);
        asked = 0;

        using var second = new WatchlistReenroller(embedder, old, done, Embed);
        using Watchlist list = Finish(second);

        Assert.Equal((old.TemplateCount, 0), (asked, second.FacesKept));
        Assert.Equal((old.Id, embedder.Sha256), (list.Id, list.EmbedderSha256));
    }

    [Fact]
    public void Next_UnusableFaces_AreNamedAndNobodyIsListedWithoutATemplate()
    {
        using var builder = new WatchlistBuilder("1", "old", WatchlistSamples.Sha256, 3);
        foreach ((string id, byte[][] photos) in (IEnumerable<(string, byte[][])>)[("none", [[]]), ("bad", [[0]]), ("half", [[], [1, 2]])])
        {
            int identity = builder.AddIdentity(new WatchlistIdentity(id, id, WatchlistCategory.Wanted));
            foreach (byte[] photo in photos)
                builder.AddTemplate(identity, [1, 0, 0], 1, photo);
        }
        using Watchlist old = builder.Build();
        using var reenroller = new WatchlistReenroller(embedder, old, null, Embed);

        using Watchlist list = Finish(reenroller);

        Assert.Equal(["half"], list.Identities.Select(i => i.Id));
        Assert.Equal([3], reenroller.Sources);
        Assert.Equal([new("none", 0, "the list has no picture of this face"), new("bad", 1, "a reason"), new LostFace("half", 2, "the list has no picture of this face")], reenroller.Lost);
        Assert.Equal(4, reenroller.FacesDone);
    }

    private static ModelManifest Embedder(char digit) => new()
    {
        Id = $"new-{digit}",
        Task = ModelTask.Embed,
        Family = "embedder",
        Licence = "none",
        Source = new ModelSource { File = "none" },
        Sha256 = new string(digit, 64),
        Input = new ModelInput("input", ChannelOrder.Rgb, [0, 0, 0], [1, 1, 1]),
        Outputs = ["output"],
        EmbeddingLength = NewLength,
    };

    private static Watchlist WithPhotos()
    {
        var random = new Random(7);
        using var builder = new WatchlistBuilder("7", "old", WatchlistSamples.Sha256, 3);
        for (int i = 0; i < 9; i++)
            builder.AddIdentity(new WatchlistIdentity($"id-{i}", $"Name {i}", WatchlistCategory.Wanted));
        for (int i = 0; i < 20; i++)
        {
            var photo = new byte[random.Next(1, 3000)];
            random.NextBytes(photo);
            photo[0] |= 1;
            builder.AddTemplate(i % 9, WatchlistSamples.Unit(random, 3), (float)random.NextDouble(), photo);
        }
        return builder.Build();
    }

    /// <summary>What is drawn over a photo goes with it, also into and out of what an earlier run has kept; the old list's own covers are not asked about.</summary>
    [Fact]
    public void Next_PhotosWithCovers_TakesThemWithTheirPhoto()
    {
        covers = [FaceCover.LowerFace, FaceCover.Eyes];
        using Watchlist old = WithPhotos();
        using var first = new WatchlistReenroller(embedder, old, null, Embed);
        using Watchlist done = Finish(first);
        int photos = asked;
        using var second = new WatchlistReenroller(embedder, done, done, Embed);
        using Watchlist list = Finish(second);

        Assert.Equal(old.TemplateCount, photos);
        Assert.Equal(photos, asked);
        Assert.Equal((3 * photos, photos), (list.TemplateCount, list.PhotoCount));
        Assert.Equal(list.TemplateCount, second.Sources.Count);
        for (int i = 0; i < list.TemplateCount; i++)
        {
            Assert.Equal(done.Cover(i), list.Cover(i));
            Assert.Equal(done.IdentityIndex(i), list.IdentityIndex(i));
            Assert.True(done.Photo(i).SequenceEqual(list.Photo(i)));
            Assert.Equal(TemplateOf(list.Photo(i)), list.Embedding(i).ToArray());
        }
    }

    private static float[] TemplateOf(ReadOnlySpan<byte> picture) => WatchlistSamples.Unit(new Random((picture.Length * 256) + picture[^1]), NewLength);

    private static Watchlist Finish(WatchlistReenroller reenroller)
    {
        while (reenroller.Next())
            continue;
        return reenroller.Builder.Build();
    }

    private VettedPhoto Embed(HostBuffer<byte> picture)
    {
        asked++;
        if (picture.Span[0] == 0)
            return new VettedPhoto(PhotoVerdict.Rejected, ["a reason"], 0);
        var templates = new PhotoTemplates(NewLength, covers);
        for (int i = 0; i < templates.Count; i++)
            TemplateOf(picture.Span).CopyTo(templates[i]);
        return new VettedPhoto(PhotoVerdict.Accepted, [], 1, templates);
    }
}
