namespace LfrEngine.Detection.Heads;

/// <summary>The checks that every head makes before it reads a tensor.</summary>
internal static class HeadGuard
{
    // A network that proposes an edge a million pixels away has overflowed; NaN and infinities fail the same comparison.
    private const float FarthestPixels = 1e6f;

    /// <summary>Throws unless both sides are positive multiples of <see cref="IDetectorHead.GridMultiple"/>.</summary>
    public static void CheckGrid(IDetectorHead head, int gridWidth, int gridHeight)
    {
        int multiple = head.GridMultiple;
        if (gridWidth <= 0 || gridHeight <= 0 || gridWidth % multiple != 0 || gridHeight % multiple != 0)
            throw new ArgumentException($"The grid {gridWidth}×{gridHeight} is not a positive multiple of {multiple} on both sides.");
    }

    /// <summary>Throws unless grid, tensors and score fit <paramref name="head"/>.</summary>
    public static void CheckDecode(
        IDetectorHead head, ReadOnlySpan<DetectorOutput> outputs, int gridWidth, int gridHeight, float minimumScore, CandidateList faces)
    {
        ArgumentNullException.ThrowIfNull(faces);
        CheckGrid(head, gridWidth, gridHeight);
        if (!(minimumScore is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(minimumScore), minimumScore, "A score must be in 0…1.");
        if (outputs.Length != head.OutputNames.Count)
            throw new ArgumentException($"{outputs.Length} outputs instead of {head.OutputNames.Count}.", nameof(outputs));
        for (int i = 0; i < outputs.Length; i++)
        {
            int expected = head.OutputLength(i, gridWidth, gridHeight);
            if (outputs[i].Span.Length != expected)
                throw new ArgumentException($"Output {head.OutputNames[i]} has {outputs[i].Span.Length} elements instead of {expected}.", nameof(outputs));
        }
    }

    /// <summary>Returns <paramref name="names"/> copied, or throws unless there are <paramref name="count"/>.</summary>
    public static string[] CheckNames(IEnumerable<string> names, int count)
    {
        string[] copy = [.. names];
        if (copy.Length != count)
            throw new ArgumentException($"{copy.Length} output names instead of {count}.", nameof(names));
        return copy;
    }

    /// <summary>Whether a box is finite, near the grid and not empty.</summary>
    public static bool IsUsable(in FaceBox box) =>
        IsUsable(box.Left) && IsUsable(box.Top) && IsUsable(box.Right) && IsUsable(box.Bottom)
        && box.Right > box.Left && box.Bottom > box.Top;

    /// <summary>Whether a coordinate is finite and near the grid.</summary>
    public static bool IsUsable(float coordinate) => MathF.Abs(coordinate) < FarthestPixels;
}
