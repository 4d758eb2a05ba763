using LfrEngine.Evaluation.Templates;
using LfrEngine.Matching;

namespace LfrEngine.Evaluation.Verification;

/// <summary>Computes comparison scores tile by tile; chosen by name.</summary>
public unsafe interface IPairScorer : IDisposable
{
    /// <summary>Name to choose it by.</summary>
    string Name { get; }

    /// <summary>What computes: cpu, cuda.</summary>
    string Device { get; }

    /// <summary>Rows of a block; the last may have fewer.</summary>
    int BlockRows { get; }

    /// <summary>How far its scores may lie from the engine's own, by another order of summation; 0 when they are the same bits.</summary>
    float Tolerance { get; }

    /// <summary>Takes the templates, which stay the caller's and must outlive the scorer.</summary>
    void Load(TemplateSet templates);

    /// <summary>Scores two blocks; called by several threads at once.</summary>
    /// <param name="first">Number of a block.</param>
    /// <param name="second">Number of another, or the same.</param>
    /// <param name="scores">Receives [BlockRows, BlockRows].</param>
    void Score(int first, int second, float* scores);
}

/// <summary>The engine's own kernels: the scores that the van compares with its threshold, bit for bit.</summary>
public sealed unsafe class SimdPairScorer : IPairScorer
{
    private TemplateSet? templates;

    /// <inheritdoc/>
    public string Name => "simd";

    /// <inheritdoc/>
    public string Device => "cpu";

    // Two blocks of 512 floats and their scores share the second-level cache.
    /// <inheritdoc/>
    public int BlockRows => 128;

    /// <inheritdoc/>
    public float Tolerance => 0;

    /// <inheritdoc/>
    public void Load(TemplateSet templates) => this.templates = templates;

    /// <inheritdoc/>
    public void Score(int first, int second, float* scores)
    {
        TemplateSet set = templates ?? throw new InvalidOperationException("Call Load first.");
        int a = first * BlockRows, b = second * BlockRows, stride = set.Stride;
        ScoreMatrix.Score(set.Pointer + ((long)a * stride), Math.Min(BlockRows, set.Count - a),
            set.Pointer + ((long)b * stride), Math.Min(BlockRows, set.Count - b), stride, scores, BlockRows);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
