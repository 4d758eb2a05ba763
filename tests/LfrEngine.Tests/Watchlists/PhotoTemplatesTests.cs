using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Native.Memory;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Watchlists;

[Collection(CountsRentedBuffers.Name)]
public sealed class PhotoTemplatesTests
{
    private const int Length = 4;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(15)]
    public void Read_WhatWasWritten_IsTheSame(int covered)
    {
        using PhotoTemplates templates = Templates(covered);
        byte[] bytes = new byte[templates.SizeBytes];
        templates.Write(bytes);
        using PhotoTemplates? read = PhotoTemplates.Read(bytes, Length);
        Assert.NotNull(read);
        Assert.Equal(covered + 1, read.Count);
        for (int i = 0; i < read.Count; i++)
        {
            Assert.True(templates[i].SequenceEqual(read[i]));
            Assert.Equal(templates.Cover(i), read.Cover(i));
        }
        Assert.InRange(bytes.Length, 0, PhotoTemplates.MostBytes(Length));
    }

    [Fact]
    public void Read_SinglePlainTemplate_IsItsRowAlone()
    {
        // As stores hold it that were written before covers were drawn.
        using PhotoTemplates? read = PhotoTemplates.Read(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>([1, 0, 0, 0]), Length);
        Assert.Equal((1, 1f), (read!.Count, read[0][0]));
    }

    [Fact]
    public void Read_AnythingElse_IsNothingAndHoldsNothing()
    {
        long before = BufferPool.OutstandingBlocks;
        using (PhotoTemplates two = Templates(1))
        {
            byte[] good = new byte[two.SizeBytes];
            two.Write(good);
            foreach (byte cover in (byte[])[0, 8, 255])
                Assert.Null(PhotoTemplates.Read([.. good[..^1], cover], Length));
            Assert.Null(PhotoTemplates.Read(good.AsSpan(0, good.Length - 1), Length));
            Assert.Null(PhotoTemplates.Read([.. good, 0], Length));
            Assert.Null(PhotoTemplates.Read([], Length));
            byte[] infinite = [.. good];
            BitConverter.TryWriteBytes(infinite.AsSpan(16), float.PositiveInfinity);
            Assert.Null(PhotoTemplates.Read(infinite, Length));
        }
        using (PhotoTemplates many = Templates(16))
        {
            byte[] tooMany = new byte[many.SizeBytes];
            many.Write(tooMany);
            Assert.Null(PhotoTemplates.Read(tooMany, Length));
        }
        Assert.Equal(before, BufferPool.OutstandingBlocks);
    }

    [Fact]
    public void AddTo_PhotoWithCovers_KeepsThePictureOnceAndGivesItForEach()
    {
        using var builder = new WatchlistBuilder("1", "embedder", new string('a', 64), Length);
        int person = builder.AddIdentity(new WatchlistIdentity("a", "A", WatchlistCategory.Wanted)), other = builder.AddIdentity(new WatchlistIdentity("b", "B", WatchlistCategory.Wanted));
        using (PhotoTemplates first = Templates(2), second = Templates(0))
        {
            first.AddTo(builder, person, 0.7f, [1, 2, 3]);
            second.AddTo(builder, other, 0.8f, [4, 5]);
        }
        using Watchlist list = builder.Build();
        Assert.Equal((4, 2), (list.TemplateCount, list.PhotoCount));
        Assert.Equal([FaceCover.None, FaceCover.LowerFace, FaceCover.Eyes, FaceCover.None], Enumerable.Range(0, 4).Select(list.Cover));
        for (int i = 0; i < 3; i++)
            Assert.Equal([1, 2, 3], list.Photo(i).ToArray());
        Assert.Equal([4, 5], list.Photo(3).ToArray());
    }

    /// <summary>Memory ends with any of the templates of the second photo.</summary>
    [Fact]
    public void AddTo_MemoryEndsHalfWay_AddsNone()
    {
        const int Long = 512, Page = 4096;
        int refused = 0;
        bool all = false;
        for (int pages = 0; !all; pages++)
        {
            using var builder = new WatchlistBuilder("1", "embedder", new string('a', 64), Long);
            int person = builder.AddIdentity(new WatchlistIdentity("a", "A", WatchlistCategory.Wanted)), other = builder.AddIdentity(new WatchlistIdentity("b", "B", WatchlistCategory.Wanted));
            using PhotoTemplates first = Templates(0, Long), second = Templates(15, Long);
            first.AddTo(builder, person, 0.7f, [1, 2, 3]);
            BufferPool.Trim();
            MemoryBudget.MostBytes = MemoryBudget.HeldBytes + (pages * Page);
            try
            {
                second.AddTo(builder, other, 0.8f, new byte[300]);
                all = true;
                Assert.Equal((17, 303), (builder.TemplateCount, builder.Photos.Length));
            }
            catch (InsufficientMemoryException)
            {
                refused++;
                Assert.Equal((1, Long, 3), (builder.TemplateCount, builder.Embeddings.Length, builder.Photos.Length));
                // Still without a photo.
                builder.RemoveIdentity(other);
            }
            finally
            {
                MemoryBudget.MostBytes = 0;
            }
        }
        Assert.True(refused > 3);
    }

    [Fact]
    public void ForgetCovered_Afterwards_OnlyThePlainOneCountsAndTheOthersAreWiped()
    {
        using PhotoTemplates templates = Templates(3);
        ReadOnlySpan<float> covered = templates.Covered;
        templates.ForgetCovered();
        Assert.Equal(1, templates.Count);
        Assert.True(covered.IndexOfAnyExcept(0f) < 0);
        Assert.Equal(Length * sizeof(float), templates.SizeBytes);
    }

    // Unit rows, each with its one in another place.
    private static PhotoTemplates Templates(int covered, int length = Length)
    {
        var templates = new PhotoTemplates(length, [.. Enumerable.Range(0, covered).Select(i => (FaceCover)(1 << (i % 3)))]);
        for (int i = 0; i < templates.Count; i++)
            templates[i][i % length] = 1;
        return templates;
    }
}
