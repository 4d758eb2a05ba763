using LfrEngine.Evaluation.Templates;
using LfrEngine.Matching;

namespace LfrEngine.Evaluation.Verification;

/// <summary>Computes comparison scores, one tile at a time. Selected by name.</summary>
public unsafe interface IPairScorer : IDisposable
{
    /// <summary>Name by which it is selected.</summary>
    string Name { get; }

    /// <summary>The device: cpu or cuda.</summary>
    string Device { get; }

    /// <summary>Rows of a block; the last may have fewer.</summary>
    int BlockRows { get; }

    /// <summary>Maximum difference from the engine's scores due to another order of summation; 0 if the bits are the same.</summary>
    float Tolerance { get; }

    /// <summary>Sets the templates, which the caller owns and which must outlive the scorer.</summary>
    void Load(TemplateSet templates);

    /// <summary>Scores two blocks; called by several threads at the same time.</summary>
    /// <param name="first">Number of one block.</param>
    /// <param name="second">Number of the other block, or of the same.</param>
    /// <param name="scores">Receives [BlockRows, BlockRows].</param>
    void Score(int first, int second, float* scores);
}

/// <summary>Uses the engine's own kernels: the scores have the same bits as in a live run.</summary>
public sealed unsafe class SimdPairScorer : IPairScorer
{
    private TemplateSet? templates;

    /// <inheritdoc/>
    public string Name => "simd";

    /// <inheritdoc/>
    public string Device => "cpu";

    // Two blocks of 512 floats and their scores fit into the second-level cache.
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
