using LfrEngine.Cover;
using LfrEngine.Quality;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>What the worth of a score depends on.</summary>
/// <param name="Score">Comparison score of the candidate that came first.</param>
/// <param name="Cover">Of the face as seen: it decided how the score was made.</param>
/// <param name="ByCoveredTemplates">Whether the score was made with templates that were covered alike.</param>
/// <param name="InterEyePixels">Of the face as seen.</param>
/// <param name="Quality">Of the face as seen, 0…1.</param>
/// <param name="ListSize">People on the list that was searched.</param>
public readonly record struct ComparisonTraits(double Score, CoverJudgement Cover, bool ByCoveredTemplates, double InterEyePixels, double Quality, int ListSize)
{
    /// <summary>Of a face that the engine measured and judged.</summary>
    public static ComparisonTraits Of(double score, in FaceQuality quality, in CoverJudgement cover, bool byCoveredTemplates, int listSize) => new(score, cover, byCoveredTemplates, quality.InterEyePixels, quality.Score, listSize);
}
