using LfrEngine.Cover;
using LfrEngine.Quality;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>Everything that the likelihood ratio of a score depends on.</summary>
/// <param name="Score">Comparison score of the candidate that came first.</param>
/// <param name="Cover">Cover of the probe, which decided how it was compared.</param>
/// <param name="ByCoveredTemplates">Whether it was compared with covered templates.</param>
/// <param name="InterEyePixels">Pixels between the eyes of the probe.</param>
/// <param name="Quality">Quality of the probe, 0…1.</param>
/// <param name="ListSize">People on the list that was searched.</param>
public readonly record struct ComparisonTraits(double Score, CoverJudgement Cover, bool ByCoveredTemplates, double InterEyePixels, double Quality, int ListSize)
{
    /// <summary>Combines a score with what the engine measured of the face.</summary>
    public static ComparisonTraits Of(double score, in FaceQuality quality, in CoverJudgement cover, bool byCoveredTemplates, int listSize) => new(score, cover, byCoveredTemplates, quality.InterEyePixels, quality.Score, listSize);
}
