using LfrEngine.Alignment;

namespace LfrEngine.Detection.Heads;

/// <summary>One level of an SSD detector: square cells of <paramref name="Stride"/> pixels, one prior box per minimum size.</summary>
/// <param name="Stride">Pixels from cell to cell.</param>
/// <param name="MinSizes">Sides of the square priors, pixels, in the order of the rows.</param>
internal sealed record PriorLevel(int Stride, int[] MinSizes);

/// <summary>Decodes locations that are given relative to prior boxes.</summary>
/// <remarks>
/// Centre and size follow SSD (Liu et al. 2016, arXiv:1512.02325, section 2.2, as every implementation scales them by two variances):
/// centre = prior centre + 0.1 · prior size · l; size = prior size · exp(0.2 · l).
/// Rows run by level, then by cell row-major, then by minimum size.
/// A prior is computed from its row in a few operations and only for rows that score, so nothing is cached.
/// </remarks>
internal static class PriorBoxes
{
    private const float CentreVariance = 0.1f;
    private const float SizeVariance = 0.2f;

    /// <summary>Priors of all levels.</summary>
    public static int Count(PriorLevel[] levels, int gridWidth, int gridHeight)
    {
        int count = 0;
        foreach (PriorLevel level in levels)
            count += Cells(gridWidth, level.Stride) * Cells(gridHeight, level.Stride) * level.MinSizes.Length;
        return count;
    }

    /// <summary>Appends the faces that score.</summary>
    /// <param name="levels">The priors.</param>
    /// <param name="scores">[n, 2], the second is the face's probability.</param>
    /// <param name="locations">[n, 4]: centre x, centre y, width, height.</param>
    /// <param name="landmarks">[n, 10], or empty.</param>
    /// <param name="gridWidth">Pixels.</param>
    /// <param name="gridHeight">Pixels.</param>
    /// <param name="clipSizes">Whether a prior is at most as large as the grid.</param>
    /// <param name="minimumScore">Inclusive.</param>
    /// <param name="faces">Receives the faces.</param>
    public static void Decode(
        PriorLevel[] levels,
        ReadOnlySpan<float> scores,
        ReadOnlySpan<float> locations,
        ReadOnlySpan<float> landmarks,
        int gridWidth,
        int gridHeight,
        bool clipSizes,
        float minimumScore,
        CandidateList faces)
    {
        int levelStart = 0;
        foreach (PriorLevel level in levels)
        {
            int columns = Cells(gridWidth, level.Stride);
            int rows = Cells(gridHeight, level.Stride);
            int perCell = level.MinSizes.Length;
            int levelEnd = levelStart + (columns * rows * perCell);
            ReadOnlySpan<float> seen = scores[..(2 * levelEnd)];
            for (int i = ScoreScan.Next(seen, levelStart, paired: true, minimumScore); i < levelEnd; i = ScoreScan.Next(seen, i + 1, paired: true, minimumScore))
            {
                float score = scores[(2 * i) + 1];
                // +∞ is not a probability.
                if (float.IsPositiveInfinity(score))
                    continue;

                (int cell, int size) = Math.DivRem(i - levelStart, perCell);
                (int row, int column) = Math.DivRem(cell, columns);
                // Where the side is no multiple of the stride, training squeezed the cells into the side.
                float priorX = (column + 0.5f) * gridWidth / columns;
                float priorY = (row + 0.5f) * gridHeight / rows;
                float priorWidth = level.MinSizes[size];
                float priorHeight = priorWidth;
                if (clipSizes)
                {
                    priorWidth = Math.Min(priorWidth, gridWidth);
                    priorHeight = Math.Min(priorHeight, gridHeight);
                }
                AddFace(
                    locations.Slice(4 * i, 4),
                    landmarks.IsEmpty ? default : landmarks.Slice(KeyPoints.RowLength * i, KeyPoints.RowLength),
                    priorX, priorY, priorWidth, priorHeight, score, faces);
            }
            levelStart = levelEnd;
        }
    }

    private static void AddFace(
        ReadOnlySpan<float> location, ReadOnlySpan<float> landmarks, float priorX, float priorY, float priorWidth, float priorHeight, float score, CandidateList faces)
    {
        float scaleX = CentreVariance * priorWidth;
        float scaleY = CentreVariance * priorHeight;
        float x = priorX + (scaleX * location[0]);
        float y = priorY + (scaleY * location[1]);
        float halfWidth = 0.5f * priorWidth * MathF.Exp(SizeVariance * location[2]);
        float halfHeight = 0.5f * priorHeight * MathF.Exp(SizeVariance * location[3]);

        Landmarks5 points = default;
        var box = new FaceBox(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight);
        if (!HeadGuard.IsUsable(box)
            || (!landmarks.IsEmpty && !KeyPoints.TryRead(landmarks, priorX, priorY, scaleX, scaleY, out points)))
            return;
        faces.Add(new FaceCandidate
        {
            Box = box,
            Score = Math.Min(score, 1), // A softmax may round to a little more.
            Landmarks = points,
            HasLandmarks = !landmarks.IsEmpty,
        });
    }

    private static int Cells(int side, int stride) => (side + stride - 1) / stride;
}
