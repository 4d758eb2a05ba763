using LfrEngine.Matching;
using LfrEngine.Watchlists;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>Makes galleries of parts of a list. As in the engine, the effect of covers is learned from the photos of each list itself.</summary>
internal static class ListDraw
{
    /// <summary>A gallery of some of the people.</summary>
    /// <param name="people">The whole list, with covered templates. Borrowed for the call.</param>
    /// <param name="chosen">Identities, in the order of the new list.</param>
    /// <param name="scales">From the embedder's manifest; empty to search for everybody as if uncovered.</param>
    public static Gallery Of(Watchlist people, ReadOnlySpan<int> chosen, IReadOnlyList<CoverScale> scales)
    {
        var places = new int[people.Identities.Count];
        Array.Fill(places, -1);
        using var builder = new WatchlistBuilder("laboratory", people.EmbedderId, people.EmbedderSha256, people.EmbeddingLength);
        foreach (int identity in chosen)
            places[identity] = builder.AddIdentity(people.Identities[identity]);
        for (int t = 0; t < people.TemplateCount; t++)
        {
            if (places[people.IdentityIndex(t)] >= 0 && (people.Cover(t) == FaceCover.None || scales.Count > 0))
                builder.AddTemplate(places[people.IdentityIndex(t)], people.Embedding(t), people.Quality(t), [], people.Cover(t));
        }
        using Watchlist list = builder.Build();
        return Gallery.Create(list, scales);
    }
}
