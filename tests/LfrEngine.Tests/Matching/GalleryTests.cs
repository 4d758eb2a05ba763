using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Tests.Watchlists;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Matching;

[Collection(CountsRentedBuffers.Name)]
public sealed class GalleryTests : IDisposable
{
    private readonly long rentedBefore = BufferPool.OutstandingBlocks;

    public void Dispose() => Assert.Equal(rentedBefore, BufferPool.OutstandingBlocks);

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(70)]
    public unsafe void Create_FromWatchlist_GroupsAlignsAndPads(int length)
    {
        using Watchlist watchlist = WatchlistSamples.Build(3, 20, 61, length);
        using Gallery gallery = Gallery.Create(watchlist);
        Assert.Equal(61, gallery.RowCount);
        Assert.Equal(0, gallery.RowStride % 16);
        Assert.Equal(0, (nint)gallery.RowPointer % 64);
        Assert.Equal(Enumerable.Range(0, 61), gallery.RowTemplates.ToArray().Order());
        for (int row = 0; row < 61; row++)
        {
            int template = gallery.RowTemplates[row];
            Assert.Equal(watchlist.IdentityIndex(template), gallery.RowIdentities[row]);
            Assert.True(watchlist.Embedding(template).SequenceEqual(gallery.Rows.Slice(row * gallery.RowStride, length)));
            Assert.Equal(-1, gallery.Rows.Slice((row * gallery.RowStride) + length, gallery.RowStride - length).IndexOfAnyExcept(0f));
            if (row > 0)
                Assert.True((gallery.RowIdentities[row - 1], gallery.RowTemplates[row - 1]).CompareTo((gallery.RowIdentities[row], template)) < 0);
        }
        for (int i = 0; i < 20; i++)
            Assert.Equal(watchlist.Identities[i].Category, gallery.IdentityCategories[i]);
    }

    [Fact]
    public void Dispose_WhileLeased_WipesWhenTheLastLeaseEnds()
    {
        using Watchlist watchlist = WatchlistSamples.Build(3, 5, 9, 16);
        Gallery gallery = Gallery.Create(watchlist);
        GalleryLease first = gallery.Lease();
        GalleryLease second = gallery.Lease();
        long outstanding = BufferPool.OutstandingBlocks;
        long wiped = BufferPool.WipedBlocks;
        gallery.Dispose();
        gallery.Dispose();
        first.Dispose();
        first.Dispose();
        Assert.Equal(outstanding, BufferPool.OutstandingBlocks);
        Assert.Equal(watchlist.Embedding(gallery.RowTemplates[0]), second.Gallery.Rows[..16]);
        second.Dispose();
        // The rows, and their codes.
        Assert.Equal(outstanding - 2, BufferPool.OutstandingBlocks);
        Assert.Equal(wiped + 2, BufferPool.WipedBlocks);
        Assert.Throws<ObjectDisposedException>(() => gallery.Lease().Dispose());
        Assert.Throws<ObjectDisposedException>(() => gallery.Rows.Length);
    }

    [Fact]
    public void Holder_EmptyWithdrawnOrDisposed_LeasesNothing()
    {
        using Watchlist watchlist = WatchlistSamples.Build(3, 5, 9, 16);
        var holder = new GalleryHolder();
        Assert.False(holder.TryLease(out _));
        holder.Publish(Gallery.Create(watchlist));
        Assert.True(holder.TryLease(out GalleryLease lease));
        lease.Dispose();
        holder.Withdraw();
        Assert.False(holder.TryLease(out _));
        holder.Publish(Gallery.Create(watchlist));
        holder.Dispose();
        Assert.False(holder.TryLease(out _));
        using Gallery late = Gallery.Create(watchlist);
        Assert.Throws<ObjectDisposedException>(() => holder.Publish(late));
    }

    [Fact]
    public async Task Publish_WhileThreadsSearch_EachSearchSeesOneGalleryAndEachIsWipedOnce()
    {
        const int galleries = 300, length = 24;
        // In version v the one identity's embedding is the unit vector along axis v mod D; both templates agree.
        Watchlist[] lists = [.. Enumerable.Range(0, length).Select(axis =>
        {
            using var builder = new WatchlistBuilder($"{axis}", "e", WatchlistSamples.Sha256, length);
            var embedding = new float[length];
            embedding[axis] = 1;
            for (int i = 0; i < 100; i++)
                builder.AddTemplate(builder.AddIdentity(new WatchlistIdentity($"{i}", "n", WatchlistCategory.Wanted)), embedding, 1);
            return builder.Build();
        })];
        var probes = new float[length * length];
        for (int i = 0; i < length; i++)
            probes[(i * length) + i] = 1;

        long outstanding = BufferPool.OutstandingBlocks;
        long wiped = BufferPool.WipedBlocks;
        using var holder = new GalleryHolder();
        var search = new CosineSearch();
        holder.Publish(Gallery.Create(lists[0]));
        using var stop = new CancellationTokenSource();
        long searches = 0;
        Task[] searchers = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            var candidates = new Candidate[length];
            var counts = new int[length];
            while (!stop.IsCancellationRequested)
            {
                Assert.True(holder.TryLease(out GalleryLease lease));
                using (lease)
                {
                    int axis = int.Parse(lease.Gallery.WatchlistVersion, System.Globalization.CultureInfo.InvariantCulture);
                    search.Search(lease.Gallery, probes, CategoryThresholds.Uniform(0.5f), 1, candidates, counts);
                    for (int i = 0; i < length; i++)
                        Assert.Equal(i == axis ? 1 : 0, counts[i]);
                    Assert.Equal(new Candidate(0, 0, 1), candidates[axis]);
                }
                Interlocked.Increment(ref searches);
            }
        }, CancellationToken.None))];
        for (int i = 1; i < galleries; i++)
        {
            holder.Publish(Gallery.Create(lists[i % length]));
            if (i % 8 == 0)
                await Task.Yield();
        }
        while (Interlocked.Read(ref searches) < 200)
            await Task.Delay(1, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await Task.WhenAll(searchers);
        Assert.Equal(outstanding + 2, BufferPool.OutstandingBlocks);
        holder.Withdraw();
        Assert.Equal(outstanding, BufferPool.OutstandingBlocks);
        // Rows and codes of each gallery.
        Assert.Equal(wiped + (2 * galleries), BufferPool.WipedBlocks);
        foreach (Watchlist list in lists)
            list.Dispose();
    }

    [Fact]
    public async Task Create_200000RowsWhileThreadsSearch_SearchesGoOn()
    {
        const int length = 128, templates = 200_000;
        using Watchlist small = WatchlistSamples.Build(3, 500, 1000, length);
        using Watchlist large = WatchlistSamples.Build(4, 2000, templates, length);
        float[] probe = large.Embedding(templates - 1).ToArray();
        using var holder = new GalleryHolder();
        holder.Publish(Gallery.Create(small));
        var search = new CosineSearch();
        using var stop = new CancellationTokenSource();
        long inSmall = 0, inLarge = 0;
        Task[] searchers = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            var candidates = new Candidate[1];
            var counts = new int[1];
            while (!stop.IsCancellationRequested)
            {
                Assert.True(holder.TryLease(out GalleryLease lease));
                using (lease)
                {
                    search.Search(lease.Gallery, probe, CategoryThresholds.Uniform(0.99f), 1, candidates, counts);
                    Assert.Equal(lease.Gallery.RowCount == templates ? 1 : 0, counts[0]);
                    Interlocked.Increment(ref lease.Gallery.RowCount == templates ? ref inLarge : ref inSmall);
                }
            }
        }, CancellationToken.None))];
        while (Interlocked.Read(ref inSmall) == 0)
            await Task.Yield();
        long before = Interlocked.Read(ref inSmall);
        Gallery built = Gallery.Create(large);
        long during = Interlocked.Read(ref inSmall) - before;
        holder.Publish(built);
        while (Interlocked.Read(ref inLarge) < 10)
            await Task.Yield();
        await stop.CancelAsync();
        await Task.WhenAll(searchers);
        // Hundreds here; a lock held while the gallery is built would leave one for each thread.
        Assert.InRange(during, 10, long.MaxValue);
    }
}
