using LfrEngine.Quality;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>How likely it is that parts of a face are covered, each 0…1.</summary>
/// <param name="LowerFace">Mouth and chin: mask, scarf, hand.</param>
/// <param name="Eyes">Sunglasses.</param>
/// <param name="Brow">Cap, hair.</param>
public readonly record struct CoverTraits(double LowerFace, double Eyes = 0, double Brow = 0);

/// <summary>What the worth of a score depends on.</summary>
/// <param name="Score">Comparison score of the candidate that came first.</param>
/// <param name="Cover">Of the face as seen.</param>
/// <param name="InterEyePixels">Of the face as seen.</param>
/// <param name="Quality">Of the face as seen, 0…1.</param>
/// <param name="ListSize">People on the list that was searched.</param>
public readonly record struct ComparisonTraits(double Score, CoverTraits Cover, double InterEyePixels, double Quality, int ListSize)
{
    /// <summary>Of a face whose quality the engine measured. Its one measure of cover knows the lower face only.</summary>
    public static ComparisonTraits Of(double score, in FaceQuality quality, int listSize) => new(score, new CoverTraits(quality.Cover), quality.InterEyePixels, quality.Score, listSize);
}
