using System.Numerics.Tensors;
using LfrEngine.Alignment;
using LfrEngine.Embeddings;
using LfrEngine.Memory;
using LfrEngine.Tests.Models;
using LfrEngine.Tests.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Embeddings;

[Collection(CountsRentedBuffers.Name)]
public sealed class EmbedderTests : IDisposable
{
    private readonly long rentedBefore = BufferPool.OutstandingBlocks;
    private readonly List<HostBuffer<float>> crops = [];

    public void Dispose()
    {
        crops.ForEach(c => c.Dispose());
        Assert.Equal(rentedBefore, BufferPool.OutstandingBlocks);
    }

    [Fact]
    public void Embed_AnyBatchAnyPlace_GivesTheSameBits()
    {
        using var embedder = new Embedder(TestModels.Embedder);
        MakeCrops(Embedder.MaximumBatch);
        float[][] alone = [.. crops.Select(c => Embed(embedder, c).Embedding)];
        for (int size = 2; size <= Embedder.MaximumBatch; size++)
        {
            for (int turn = 0; turn < size; turn++)
            {
                // Every face stands once in every place.
                int[] order = [.. Enumerable.Range(0, size).Select(i => (i + turn) % Embedder.MaximumBatch)];
                var embeddings = new float[size * embedder.Length];
                var norms = new float[size];
                embedder.Embed([.. order.Select(i => crops[i])], embeddings, norms);
                for (int i = 0; i < size; i++)
                    Assert.True(alone[order[i]].AsSpan().SequenceEqual(embeddings.AsSpan(i * embedder.Length, embedder.Length)), $"batch {size}, place {i}");
            }
        }
    }

    [Fact]
    public void Embed_AnyCrop_HasUnitLengthAndItsNorm()
    {
        using var embedder = new Embedder(TestModels.Embedder);
        MakeCrops(4);
        foreach (HostBuffer<float> crop in crops)
        {
            (float[] embedding, float norm) = Embed(embedder, crop);
            Assert.Equal(512, embedding.Length);
            Assert.Equal(1, TensorPrimitives.Norm<float>(embedding), 1e-5f);
            Assert.True(norm > 0.1f);
        }
        Assert.NotEqual(Embed(embedder, crops[0]).Embedding, Embed(embedder, crops[1]).Embedding);
    }

    [Fact]
    public void Embed_NoneOrTooMany_ReturnsOrThrows()
    {
        using var embedder = new Embedder(TestModels.Embedder);
        embedder.Embed([], [], []);
        MakeCrops(Embedder.MaximumBatch + 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => embedder.Embed(crops.ToArray(), new float[9 * 512], new float[9]));
    }

    private static (float[] Embedding, float Norm) Embed(Embedder embedder, HostBuffer<float> crop)
    {
        var embedding = new float[embedder.Length];
        var norm = new float[1];
        embedder.Embed([crop], embedding, norm);
        return (embedding, norm[0]);
    }

    private void MakeCrops(int count) => crops.AddRange(SeededCrops.Make(count));
}

/// <summary>Smooth seeded pictures in the embedder's range: what the network computes on them is as exact as on faces.</summary>
internal static class SeededCrops
{
    public static IEnumerable<HostBuffer<float>> Make(int count)
    {
        for (int n = 0; n < count; n++)
        {
            var random = new Random(n);
            HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
            float fx = 0.02f + (0.2f * random.NextSingle()), fy = 0.02f + (0.2f * random.NextSingle());
            for (int i = 0; i < crop.Length; i++)
            {
                int x = i % 112, y = i / 112 % 112, c = i / (112 * 112);
                crop.Span[i] = Math.Clamp((0.8f * MathF.Sin((x * fx) + c) * MathF.Cos((y * fy) + n)) + (0.2f * (random.NextSingle() - 0.5f)), -1, 1);
            }
            yield return crop;
        }
    }
}
