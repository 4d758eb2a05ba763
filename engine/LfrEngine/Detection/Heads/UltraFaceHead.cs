namespace LfrEngine.Detection.Heads;

/// <summary>The "Ultra-Light-Fast-Generic" family: boxes without key points.</summary>
/// <remarks>
/// Takes the raw locations before the graph decodes them (tensor <c>462</c> of the published RFB-320 export), so that the grid is free.
/// Priors as published with github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB; sizes are clipped to the grid.
/// Input: RGB, (v − 127) / 128.
/// </remarks>
internal sealed class UltraFaceHead : IDetectorHead
{
    private static readonly PriorLevel[] Levels =
    [
        new(8, [10, 16, 24]),
        new(16, [32, 48]),
        new(32, [64, 96]),
        new(64, [128, 192, 256]),
    ];

    private static readonly string[] Names = ["scores", "462"];

    public IReadOnlyList<string> OutputNames => Names;

    public AnchorTensors? Anchors { get; } = new(ScoreOutput: 0, ScoreElement: 1, [2, 4]);

    /// <summary>Pixels. The coarser levels round up, as the trained grid of 320×240 already does.</summary>
    public int GridMultiple => 16;

    public int OutputLength(int output, int gridWidth, int gridHeight)
    {
        HeadGuard.CheckGrid(this, gridWidth, gridHeight);
        int width = output switch
        {
            0 => 2,
            1 => 4,
            _ => throw new ArgumentOutOfRangeException(nameof(output)),
        };
        return width * PriorBoxes.Count(Levels, gridWidth, gridHeight);
    }

    public void Decode(ReadOnlySpan<DetectorOutput> outputs, int gridWidth, int gridHeight, float minimumScore, CandidateList faces)
    {
        HeadGuard.CheckDecode(this, outputs, gridWidth, gridHeight, minimumScore, faces);
        PriorBoxes.Decode(
            Levels, outputs[0].Span, outputs[1].Span, landmarks: default, gridWidth, gridHeight, clipSizes: true, minimumScore, faces);
    }
}
