using LfrEngine.Alignment;

namespace LfrEngine.Detection.Heads;

/// <summary>YuNet (Wu et al. 2023, doi:10.1007/s11633-023-1423-y): no anchors; a class and an objectness score per cell.</summary>
/// <remarks>
/// As OpenCV documents its FaceDetectorYN: score = √(class · objectness), each clamped to 0…1; centre = (cell + value) · stride;
/// size = exp(value) · stride; key point = (cell + value) · stride. Input: BGR, 0…255.
/// </remarks>
internal sealed class YuNetHead : IDetectorHead
{
    private static readonly int[] Strides = [8, 16, 32];

    private static readonly string[] Names =
    [
        "cls_8", "cls_16", "cls_32", "obj_8", "obj_16", "obj_32", "bbox_8", "bbox_16", "bbox_32", "kps_8", "kps_16", "kps_32",
    ];

    public IReadOnlyList<string> OutputNames => Names;

    public int GridMultiple => 32;

    public int OutputLength(int output, int gridWidth, int gridHeight)
    {
        HeadGuard.CheckGrid(this, gridWidth, gridHeight);
        int width = (output / Strides.Length) switch
        {
            _ when output < 0 => throw new ArgumentOutOfRangeException(nameof(output)),
            0 or 1 => 1,
            2 => 4,
            3 => KeyPoints.RowLength,
            _ => throw new ArgumentOutOfRangeException(nameof(output)),
        };
        int stride = Strides[output % Strides.Length];
        return width * (gridWidth / stride) * (gridHeight / stride);
    }

    public void Decode(ReadOnlySpan<DetectorOutput> outputs, int gridWidth, int gridHeight, float minimumScore, CandidateList faces)
    {
        HeadGuard.CheckDecode(this, outputs, gridWidth, gridHeight, minimumScore, faces);
        int levels = Strides.Length;
        for (int level = 0; level < levels; level++)
        {
            DecodeLevel(
                outputs[level].Span,
                outputs[levels + level].Span,
                outputs[(2 * levels) + level].Span,
                outputs[(3 * levels) + level].Span,
                Strides[level], gridWidth / Strides[level], minimumScore, faces);
        }
    }

    private static void DecodeLevel(
        ReadOnlySpan<float> classes,
        ReadOnlySpan<float> objects,
        ReadOnlySpan<float> boxes,
        ReadOnlySpan<float> keyPoints,
        int stride,
        int columns,
        float minimumScore,
        CandidateList faces)
    {
        // The objectness is at most 1, so rows whose class score alone is too low are skipped (with a margin for rounding).
        float leastClass = minimumScore > 0 ? minimumScore * minimumScore * 0.99999f : float.NegativeInfinity;
        for (int i = ScoreScan.Next(classes, 0, paired: false, leastClass); i < classes.Length; i = ScoreScan.Next(classes, i + 1, paired: false, leastClass))
        {
            float score = MathF.Sqrt(Math.Clamp(classes[i], 0, 1) * Math.Clamp(objects[i], 0, 1));
            // NaN fails the comparison. Infinities were clamped and need their own check.
            if (!(score >= minimumScore) || float.IsInfinity(classes[i]) || float.IsInfinity(objects[i]))
                continue;

            (int row, int column) = Math.DivRem(i, columns);
            ReadOnlySpan<float> location = boxes.Slice(4 * i, 4);
            float x = (column + location[0]) * stride;
            float y = (row + location[1]) * stride;
            float halfWidth = 0.5f * stride * MathF.Exp(location[2]);
            float halfHeight = 0.5f * stride * MathF.Exp(location[3]);
            var box = new FaceBox(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight);
            if (!HeadGuard.IsUsable(box)
                || !KeyPoints.TryRead(
                    keyPoints.Slice(KeyPoints.RowLength * i, KeyPoints.RowLength), column * stride, row * stride, stride, stride, out Landmarks5 landmarks))
                continue;
            faces.Add(new FaceCandidate { Box = box, Score = score, Landmarks = landmarks, HasLandmarks = true });
        }
    }
}
