using LfrEngine.Matching;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Watchlists;

namespace LfrEngine.Perf;

/// <summary>How long does the engine search a watchlist file for one face? <c>lfr_search</c> adds the way through the native library: <c>scripts/capi.sh compare</c>.</summary>
/// <remarks>Usage: <c>… -- search-list LIST KEYFILE</c>. Microseconds of processor time, of the best of five rounds.</remarks>
internal static class ListSearchTime
{
    private const int Rounds = 5, Searches = 20_000;

    // As native-interop/capi/test/numbers.c has it.
    private const float Threshold = 0.3f;

    /// <summary>Measures and prints JSON.</summary>
    public static int Run(string list, string keyFile)
    {
        ModelManifest embedder = ModelCatalog.Default.Find(EngineModels.DefaultEmbedder, ModelTask.Embed);
        using WatchlistKey key = WatchlistKey.FromKeyFile(keyFile);
        using Watchlist watchlist = WatchlistFile.Read(list, key, embedder.Sha256);
        using Gallery gallery = Gallery.Create(watchlist, embedder.CoverScales);
        var search = new CosineSearch();
        ReadOnlySpan<float> probe = gallery.Rows[..gallery.EmbeddingLength];
        Span<Candidate> found = stackalloc Candidate[1];
        Span<int> count = stackalloc int[1];
        double best = double.MaxValue;
        // The first round warms up.
        for (int round = -1; round < Rounds; round++)
        {
            double began = ThreadClock.Milliseconds;
            for (int i = 0; i < Searches; i++)
                search.Search(gallery, probe, CategoryThresholds.Uniform(Threshold), 1, found, count, [FaceCover.None]);
            if (round >= 0)
                best = Math.Min(best, (ThreadClock.Milliseconds - began) * 1000 / Searches);
        }
        Console.WriteLine(FormattableString.Invariant($"{{\"managedSearchMicroseconds\":{best:0.000},\"score\":{found[0].ComparisonScore:R}}}"));
        return 0;
    }
}
