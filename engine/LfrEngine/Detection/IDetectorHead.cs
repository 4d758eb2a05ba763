namespace LfrEngine.Detection;

/// <summary>One detector family: the tensors of its network, and how they become faces.</summary>
/// <remarks>Stateless apart from caches; one instance per detector, used by one thread at a time.</remarks>
internal interface IDetectorHead
{
    /// <summary>Names of the graph's outputs, in the order that <see cref="Decode"/> expects.</summary>
    IReadOnlyList<string> OutputNames { get; }

    /// <summary>The grid's sides must be multiples of this, pixels.</summary>
    int GridMultiple { get; }

    /// <summary>Length of each output for one image of this grid, elements; the loader checks the network against it.</summary>
    /// <param name="output">Index into <see cref="OutputNames"/>.</param>
    /// <param name="gridWidth">Pixels.</param>
    /// <param name="gridHeight">Pixels.</param>
    int OutputLength(int output, int gridWidth, int gridHeight);

    /// <summary>How the outputs are made of anchors, so that a device need return only those that score; null if a score is made of more than one value.</summary>
    AnchorTensors? Anchors => null;

    /// <summary>Appends every face scoring at least <paramref name="minimumScore"/>, in grid pixels, unsuppressed.</summary>
    /// <param name="outputs">One image's tensors, in the order of <see cref="OutputNames"/>. Borrowed.</param>
    /// <param name="gridWidth">Pixels.</param>
    /// <param name="gridHeight">Pixels.</param>
    /// <param name="minimumScore">0…1, inclusive.</param>
    /// <param name="faces">Receives the faces.</param>
    void Decode(ReadOnlySpan<DetectorOutput> outputs, int gridWidth, int gridHeight, float minimumScore, CandidateList faces);
}

/// <summary>Outputs that hold the same anchors, row by row.</summary>
/// <param name="ScoreOutput">The output with the scores.</param>
/// <param name="ScoreElement">Which of an anchor's values there is its score, as it stands; no other of them is looked at.</param>
/// <param name="Widths">Values per anchor in each output; two or three outputs.</param>
internal sealed record AnchorTensors(int ScoreOutput, int ScoreElement, int[] Widths);

/// <summary>A borrowed float32 tensor of one image, row-major.</summary>
internal readonly unsafe struct DetectorOutput(float* pointer, int length)
{
    /// <summary>The elements; borrowed for the call.</summary>
    public ReadOnlySpan<float> Span => new(pointer, length);
}
