using LfrEngine.Embeddings;
using LfrEngine.Memory;
using LfrEngine.Tests.Models;
using LfrEngine.Tests.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Embeddings;

[Collection(CountsRentedBuffers.Name)]
public sealed class EmbeddingBatcherTests : IDisposable
{
    private readonly long rentedBefore = BufferPool.OutstandingBlocks;
    private readonly List<HostBuffer<float>> crops = [];

    public void Dispose()
    {
        crops.ForEach(c => c.Dispose());
        Assert.Equal(rentedBefore, BufferPool.OutstandingBlocks);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(2, 3)]
    public void Embed_ManyThreadsAtOnce_GivesEachItsOwnBits(int workers, int deadlineMs)
    {
        crops.AddRange(SeededCrops.Make(10));
        float[][] alone = Alone();
        using var batcher = new EmbeddingBatcher(TestModels.Embedder, workers, TimeSpan.FromMilliseconds(deadlineMs));
        Assert.Equal(512, batcher.Length);
        int[] wrong = new int[6];
        Thread[] askers = [.. Enumerable.Range(0, wrong.Length).Select(asker => new Thread(() =>
        {
            var random = new Random(asker);
            for (int turn = 0; turn < 4; turn++)
            {
                int[] chosen = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(crops.Count))];
                if (!Ask(batcher, chosen, alone))
                    wrong[asker]++;
            }
        }))];
        Array.ForEach(askers, a => a.Start());
        Array.ForEach(askers, a => a.Join());
        Assert.All(wrong, w => Assert.Equal(0, w));
    }

    [Theory]
    [InlineData(9)]
    [InlineData(16)]
    [InlineData(21)]
    public void Embed_MoreThanABatch_SpansBatches(int count)
    {
        crops.AddRange(SeededCrops.Make(5));
        float[][] alone = Alone();
        using var batcher = new EmbeddingBatcher(TestModels.Embedder, 2, TimeSpan.Zero);
        Assert.True(Ask(batcher, [.. Enumerable.Range(0, count).Select(i => i % 5)], alone));
    }

    [Fact]
    public void Embed_NoCrops_ReturnsAtOnce()
    {
        using var batcher = new EmbeddingBatcher(TestModels.Embedder, 1, TimeSpan.FromHours(1));
        using HostBuffer<float> nothing = BufferPool.Rent<float>(1);
        batcher.Embed([], nothing, nothing);
    }

    [Fact]
    public void Embed_DisposedCrop_FailsAndTheNextRequestIsServed()
    {
        crops.AddRange(SeededCrops.Make(2));
        float[][] alone = Alone();
        using var batcher = new EmbeddingBatcher(TestModels.Embedder, 1, TimeSpan.Zero);
        for (int turn = 0; turn < 3; turn++)
        {
            Assert.NotNull(AskWithADisposedCrop(batcher));
            Assert.True(Ask(batcher, [1, 0], alone));
        }
    }

    /// <summary>A request that fails shares a batch with one that is sound: the sound one gets its embeddings.</summary>
    [Fact]
    public void Embed_DisposedCropInASharedBatch_FailsItsOwnerOnly()
    {
        crops.AddRange(SeededCrops.Make(7));
        float[][] alone = Alone();
        // The batch closes by size: one bad crop and seven good ones.
        using var batcher = new EmbeddingBatcher(TestModels.Embedder, 1, TimeSpan.FromMilliseconds(500));
        Exception? own = null, foreign = null;
        bool right = false;
        var bad = new Thread(() => own = AskWithADisposedCrop(batcher));
        var good = new Thread(() => foreign = Record.Exception(() => right = Ask(batcher, [0, 1, 2, 3, 4, 5, 6], alone)));
        bad.Start();
        good.Start();
        bad.Join();
        good.Join();
        Assert.NotNull(own);
        Assert.Null(foreign);
        Assert.True(right);
    }

    /// <summary>What does not fit is the asker's mistake, told to the asker; on a worker's thread it would end the process.</summary>
    [Fact]
    public void Embed_BuffersOfTheWrongSize_ThrowsToTheAsker()
    {
        crops.AddRange(SeededCrops.Make(1));
        using var batcher = new EmbeddingBatcher(TestModels.Embedder, 1, TimeSpan.Zero);
        using HostBuffer<float> shortCrop = BufferPool.Rent<float>(10);
        using HostBuffer<float> longCrop = BufferPool.Rent<float>(crops[0].Length + 1);
        using HostBuffer<float> room = BufferPool.Rent<float>(512);
        using HostBuffer<float> tooSmall = BufferPool.Rent<float>(511);
        using HostBuffer<float> norm = BufferPool.Rent<float>(1);
        Assert.ThrowsAny<ArgumentException>(() => batcher.Embed([shortCrop], room, norm));
        Assert.ThrowsAny<ArgumentException>(() => batcher.Embed([longCrop], room, norm));
        Assert.ThrowsAny<ArgumentException>(() => batcher.Embed([crops[0]], tooSmall, norm));
        Assert.True(Ask(batcher, [0], Alone()));
    }

    [Fact]
    public void Embed_AfterDispose_Throws()
    {
        crops.AddRange(SeededCrops.Make(1));
        var batcher = new EmbeddingBatcher(TestModels.Embedder, 2, TimeSpan.FromMilliseconds(1));
        batcher.Dispose();
        using HostBuffer<float> room = BufferPool.Rent<float>(513);
        Assert.Throws<ObjectDisposedException>(() => batcher.Embed(crops, room, room));
    }

    [Fact]
    public void Constructor_NoWorkers_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new EmbeddingBatcher(TestModels.Embedder, 0, TimeSpan.Zero));

    private static Exception? AskWithADisposedCrop(EmbeddingBatcher batcher)
    {
        HostBuffer<float> gone = BufferPool.Rent<float>(3 * 112 * 112);
        gone.Dispose();
        using HostBuffer<float> embeddings = BufferPool.Rent<float>(batcher.Length);
        using HostBuffer<float> norms = BufferPool.Rent<float>(1);
        return Record.Exception(() => batcher.Embed([gone], embeddings, norms));
    }

    private bool Ask(EmbeddingBatcher batcher, int[] chosen, float[][] alone)
    {
        using HostBuffer<float> embeddings = BufferPool.Rent<float>(chosen.Length * batcher.Length);
        using HostBuffer<float> norms = BufferPool.Rent<float>(chosen.Length);
        batcher.Embed([.. chosen.Select(i => crops[i])], embeddings, norms);
        bool right = true;
        for (int i = 0; i < chosen.Length; i++)
        {
            right &= embeddings.Span.Slice(i * batcher.Length, batcher.Length).SequenceEqual(alone[chosen[i]]);
            right &= norms.Span[i] > 0;
        }
        return right;
    }

    private float[][] Alone()
    {
        using var embedder = new Embedder(TestModels.Embedder);
        var results = new float[crops.Count][];
        var norm = new float[1];
        for (int i = 0; i < crops.Count; i++)
        {
            results[i] = new float[embedder.Length];
            embedder.Embed([crops[i]], results[i], norm);
        }
        return results;
    }
}
