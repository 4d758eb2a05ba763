using LfrEngine.Alignment;

namespace LfrEngine.Detection.Heads;

/// <summary>SCRFD (Guo et al. 2021, arXiv:2105.04714) with key points: two anchors per cell, distances to the four edges.</summary>
/// <remarks>
/// Edges and key points are offsets from the cell's top left corner, in strides. Scores come after the sigmoid.
/// Input: RGB, (v − 127.5) / 128.
/// </remarks>
internal sealed class ScrfdHead : IDetectorHead
{
    private const int AnchorsPerCell = 2;

    private static readonly int[] Strides = [8, 16, 32];

    private readonly string[] names;

    /// <summary>Takes outputs named <c>score_</c>, <c>bbox_</c>, <c>kps_</c> and the stride.</summary>
    public ScrfdHead()
        : this(["score_8", "score_16", "score_32", "bbox_8", "bbox_16", "bbox_32", "kps_8", "kps_16", "kps_32"])
    {
    }

    /// <summary>Takes other output names; some exports only number them.</summary>
    /// <param name="outputNames">Nine: scores, boxes, key points, each for strides 8, 16, 32.</param>
    public ScrfdHead(IEnumerable<string> outputNames) => names = HeadGuard.CheckNames(outputNames, 3 * Strides.Length);

    public IReadOnlyList<string> OutputNames => names;

    public int GridMultiple => 32;

    public int OutputLength(int output, int gridWidth, int gridHeight)
    {
        HeadGuard.CheckGrid(this, gridWidth, gridHeight);
        int width = (output / Strides.Length) switch
        {
            _ when output < 0 => throw new ArgumentOutOfRangeException(nameof(output)),
            0 => 1,
            1 => 4,
            2 => KeyPoints.RowLength,
            _ => throw new ArgumentOutOfRangeException(nameof(output)),
        };
        int stride = Strides[output % Strides.Length];
        return width * AnchorsPerCell * (gridWidth / stride) * (gridHeight / stride);
    }

    public void Decode(ReadOnlySpan<DetectorOutput> outputs, int gridWidth, int gridHeight, float minimumScore, CandidateList faces)
    {
        HeadGuard.CheckDecode(this, outputs, gridWidth, gridHeight, minimumScore, faces);
        for (int level = 0; level < Strides.Length; level++)
        {
            DecodeLevel(
                outputs[level].Span,
                outputs[Strides.Length + level].Span,
                outputs[(2 * Strides.Length) + level].Span,
                Strides[level], gridWidth / Strides[level], minimumScore, faces);
        }
    }

    private static void DecodeLevel(
        ReadOnlySpan<float> scores, ReadOnlySpan<float> boxes, ReadOnlySpan<float> keyPoints, int stride, int columns, float minimumScore, CandidateList faces)
    {
        for (int i = ScoreScan.Next(scores, 0, paired: false, minimumScore); i < scores.Length; i = ScoreScan.Next(scores, i + 1, paired: false, minimumScore))
        {
            // +∞ is not a probability.
            if (float.IsPositiveInfinity(scores[i]))
                continue;

            (int row, int column) = Math.DivRem(i / AnchorsPerCell, columns);
            float x = column * stride;
            float y = row * stride;
            ReadOnlySpan<float> edges = boxes.Slice(4 * i, 4);
            var box = new FaceBox(
                x - (edges[0] * stride), y - (edges[1] * stride), x + (edges[2] * stride), y + (edges[3] * stride));
            if (!HeadGuard.IsUsable(box)
                || !KeyPoints.TryRead(keyPoints.Slice(KeyPoints.RowLength * i, KeyPoints.RowLength), x, y, stride, stride, out Landmarks5 landmarks))
                continue;
            faces.Add(new FaceCandidate { Box = box, Score = Math.Min(scores[i], 1), Landmarks = landmarks, HasLandmarks = true });
        }
    }
}
