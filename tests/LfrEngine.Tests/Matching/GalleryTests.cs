using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Pipeline;
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
    public void Swap_WhileSearched_WipesTheFormerWhenTheSearchEnds()
    {
        using Watchlist watchlist = WatchlistSamples.Build(3, 5, 9, 16);
        bool wiped = false;
        Gallery former = Gallery.Create(watchlist);
        using Gallery latter = Gallery.Create(watchlist);
        former.Wiped += (_, _) => wiped = true;
        using var current = new CurrentGallery(former);
        former.Dispose();
        GalleryLease search = current.Lease();
        current.Swap(latter);
        Assert.False(wiped);
        Assert.Same(latter, current.Newest);
        Assert.Same(former, search.Gallery);
        search.Dispose();
        Assert.True(wiped);
        using GalleryLease next = current.Lease();
        Assert.Same(latter, next.Gallery);
        Assert.Throws<ObjectDisposedException>(() => current.Swap(former));
        Assert.Same(latter, current.Newest);
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
}
