using LfrEngine.Watchlists;

namespace LfrEngine.Matching;

/// <summary>The least comparison score of a candidate, inclusive, for each category. Holds for one embedder only.</summary>
/// <param name="Wanted">For <see cref="WatchlistCategory.Wanted"/>.</param>
/// <param name="CourtOrder">For <see cref="WatchlistCategory.CourtOrder"/>.</param>
/// <param name="Suspect">For <see cref="WatchlistCategory.Suspect"/>.</param>
/// <param name="MissingOrVulnerable">For <see cref="WatchlistCategory.MissingOrVulnerable"/>.</param>
/// <param name="AtRiskOfHarm">For <see cref="WatchlistCategory.AtRiskOfHarm"/>.</param>
public readonly record struct CategoryThresholds(float Wanted, float CourtOrder, float Suspect, float MissingOrVulnerable, float AtRiskOfHarm)
{
    /// <summary>One threshold for all categories.</summary>
    public static CategoryThresholds Uniform(float threshold) => new(threshold, threshold, threshold, threshold, threshold);

    /// <summary>The threshold of a category.</summary>
    public float this[WatchlistCategory category] => category switch
    {
        WatchlistCategory.Wanted => Wanted,
        WatchlistCategory.CourtOrder => CourtOrder,
        WatchlistCategory.Suspect => Suspect,
        WatchlistCategory.MissingOrVulnerable => MissingOrVulnerable,
        WatchlistCategory.AtRiskOfHarm => AtRiskOfHarm,
        _ => throw new ArgumentOutOfRangeException(nameof(category), category, "Not a watchlist category."),
    };

    /// <summary>The lowest of the five; NaN when one of them is.</summary>
    public float Lowest => MathF.Min(MathF.Min(MathF.Min(Wanted, CourtOrder), MathF.Min(Suspect, MissingOrVulnerable)), AtRiskOfHarm);
}
