using LfrEngine.Matching;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Watchlists;

/// <summary>Small seeded watchlists.</summary>
internal static class WatchlistSamples
{
    public static readonly string Sha256 = new('a', 64);

    public static float[] Unit(Random random, int length)
    {
        var vector = new float[length];
        double norm = 0;
        for (int i = 0; i < length; i++)
        {
            vector[i] = (float)(random.NextDouble() - 0.5);
            norm += vector[i] * (double)vector[i];
        }
        if (norm == 0)
            vector[0] = 1;
        for (int i = 0; i < length && norm > 0; i++)
            vector[i] = (float)(vector[i] / Math.Sqrt(norm));
        return vector;
    }

    /// <summary>Templates go to identities in a shuffled order; some identities have several.</summary>
    public static Watchlist Build(int seed, int identities, int templates, int length, bool photos = false)
    {
        var random = new Random(seed);
        using var builder = new WatchlistBuilder("7", "sample-embedder", Sha256, length);
        for (int i = 0; i < identities; i++)
        {
            builder.AddIdentity(new WatchlistIdentity(
                $"id-{i}",
                $"Zoë \"{i}\" Ångström",
                (WatchlistCategory)(i % WatchlistCategories.Count),
                i % 2 == 0 ? $"ref/{i}" : null,
                i % 3 == 0 ? new DateOnly(2024, 2, 29) : null,
                i % 4 == 0 ? "custody" : null));
        }
        var owners = Enumerable.Range(0, templates).Select(i => i < identities ? i : random.Next(identities)).ToArray();
        random.Shuffle(owners);
        foreach (int owner in owners)
        {
            var photo = new byte[photos ? random.Next(0, 3000) : 0];
            random.NextBytes(photo);
            builder.AddTemplate(owner, Unit(random, length), (float)random.NextDouble(), photo);
        }
        return builder.Build();
    }

    /// <summary>Each person with one or two photos and some of the covers drawn on each, a cover up to three times.</summary>
    /// <param name="seed">Of everything.</param>
    /// <param name="identities">People.</param>
    /// <param name="length">D.</param>
    /// <param name="covers">The covers drawn; null for the single ones and one of two parts.</param>
    public static Watchlist BuildCovered(int seed, int identities, int length, FaceCover[]? covers = null)
    {
        var random = new Random(seed);
        covers ??= [FaceCover.LowerFace, FaceCover.Eyes, FaceCover.Brow, FaceCover.LowerFace | FaceCover.Brow];
        using var builder = new WatchlistBuilder("7", "sample-embedder", Sha256, length);
        for (int i = 0; i < identities; i++)
        {
            int identity = builder.AddIdentity(new WatchlistIdentity($"id-{i}", $"n{i}", (WatchlistCategory)(i % WatchlistCategories.Count)));
            for (int photo = random.Next(1, 3); photo > 0; photo--)
            {
                float[] plain = Unit(random, length);
                builder.AddTemplate(identity, plain, 1, [1, 2, 3]);
                foreach (FaceCover cover in covers)
                {
                    for (int drawn = random.Next(0, 4); drawn > 0; drawn--)
                    {
                        float[] moved = [.. plain.Zip(Unit(random, length), (p, m) => p + (0.5f * m))];
                        double norm = Math.Sqrt(moved.Sum(m => (double)m * m));
                        builder.AddTemplate(identity, [.. moved.Select(m => (float)(m / norm))], 0.5f, default, cover);
                    }
                }
            }
        }
        return builder.Build();
    }

    public static void AssertEqual(Watchlist expected, Watchlist actual)
    {
        Assert.Equal(expected.Id, actual.Id);
        Assert.Equal(expected.Version, actual.Version);
        Assert.Equal(expected.CreatedUtc, actual.CreatedUtc);
        Assert.Equal(expected.EmbedderId, actual.EmbedderId);
        Assert.Equal(expected.EmbedderSha256, actual.EmbedderSha256);
        Assert.Equal(expected.EmbeddingLength, actual.EmbeddingLength);
        Assert.Equal(expected.Identities, actual.Identities);
        Assert.Equal(expected.TemplateCount, actual.TemplateCount);
        Assert.True(expected.Embeddings.SequenceEqual(actual.Embeddings));
        for (int i = 0; i < expected.TemplateCount; i++)
        {
            Assert.Equal(expected.IdentityIndex(i), actual.IdentityIndex(i));
            Assert.Equal(expected.Quality(i), actual.Quality(i));
            Assert.Equal(expected.Cover(i), actual.Cover(i));
            Assert.True(expected.Photo(i).SequenceEqual(actual.Photo(i)));
        }
    }
}

/// <summary>A separate directory for one test.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public TemporaryDirectory() => Root = Directory.CreateTempSubdirectory("lfr-test-").FullName;

    public string Root { get; }

    public string this[string name] => Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

/// <summary>For tests that count what the whole process has rented: they run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class CountsRentedBuffers
{
    public const string Name = "Counts rented buffers";
}
