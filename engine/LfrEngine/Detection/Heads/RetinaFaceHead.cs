namespace LfrEngine.Detection.Heads;

/// <summary>RetinaFace (Deng et al. 2019, arXiv:1905.00641) as exported from PyTorch: boxes and five key points.</summary>
/// <remarks>
/// Three tensors: locations [n, 4], probabilities [n, 2] after softmax, key points [n, 10]. Exports use different names:
/// libfacedetection.train's <c>retinaface_mbnet0.25.onnx</c> calls the key points <c>iou</c>, and there is no IoU in it.
/// Priors of 16 and 32, 64 and 128, 256 and 512 pixels at strides 8, 16, 32, not clipped. Input: BGR, v − (104, 117, 123).
/// </remarks>
internal sealed class RetinaFaceHead : IDetectorHead
{
    private static readonly PriorLevel[] Levels = [new(8, [16, 32]), new(16, [64, 128]), new(32, [256, 512])];

    private readonly string[] names;

    /// <summary>Takes the names of the outputs.</summary>
    /// <param name="locations">[n, 4].</param>
    /// <param name="scores">[n, 2].</param>
    /// <param name="landmarks">[n, 10].</param>
    public RetinaFaceHead(string locations = "loc", string scores = "conf", string landmarks = "landms") =>
        names = [locations, scores, landmarks];

    public IReadOnlyList<string> OutputNames => names;

    public AnchorTensors? Anchors { get; } = new(ScoreOutput: 1, ScoreElement: 1, [4, 2, KeyPoints.RowLength]);

    public int GridMultiple => 32;

    public int OutputLength(int output, int gridWidth, int gridHeight)
    {
        HeadGuard.CheckGrid(this, gridWidth, gridHeight);
        int width = output switch
        {
            0 => 4,
            1 => 2,
            2 => KeyPoints.RowLength,
            _ => throw new ArgumentOutOfRangeException(nameof(output)),
        };
        return width * PriorBoxes.Count(Levels, gridWidth, gridHeight);
    }

    public void Decode(ReadOnlySpan<DetectorOutput> outputs, int gridWidth, int gridHeight, float minimumScore, CandidateList faces)
    {
        HeadGuard.CheckDecode(this, outputs, gridWidth, gridHeight, minimumScore, faces);
        PriorBoxes.Decode(
            Levels, outputs[1].Span, outputs[0].Span, outputs[2].Span, gridWidth, gridHeight, clipSizes: false, minimumScore, faces);
    }
}
