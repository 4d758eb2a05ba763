namespace LfrEngine.Matching;

/// <summary>Comparison scores of every probe with every row, for measurements: the same bits that <see cref="CosineSearch"/> compares with a threshold.</summary>
internal static unsafe class ScoreMatrix
{
    /// <summary>A matrix is padded to a multiple of this number of rows.</summary>
    public const int RowStep = ScoreKernel.RowStep;

    // 64 rows of 512 floats stay in the second-level cache while they are compared with all probes.
    private const int BlockRows = 64;

    /// <summary>Elements from one row to the next; those after the length are zero.</summary>
    public static int StrideFor(int length) => (length + ScoreKernel.Lanes - 1) / ScoreKernel.Lanes * ScoreKernel.Lanes;

    /// <summary>Scores all pairs.</summary>
    /// <param name="probes">float32 [probeCount, stride], unit length, zeros past the length. Borrowed.</param>
    /// <param name="probeCount">Probes.</param>
    /// <param name="rows">float32 [rowCount rounded up to <see cref="RowStep"/>, stride]. Borrowed.</param>
    /// <param name="rowCount">Rows.</param>
    /// <param name="stride">From <see cref="StrideFor"/>.</param>
    /// <param name="scores">Receives [probeCount, scoreStride].</param>
    /// <param name="scoreStride">At least rowCount rounded up to <see cref="RowStep"/>.</param>
    public static void Score(float* probes, int probeCount, float* rows, int rowCount, int stride, float* scores, int scoreStride)
    {
        for (int row = 0; row < rowCount; row += BlockRows)
        {
            int blockRows = Math.Min(BlockRows, rowCount - row);
            for (int probe = 0; probe < probeCount; probe += ScoreKernel.ProbeStep)
            {
                ScoreKernel.Score(ScoreKernel.Widest, probes + ((long)probe * stride), Math.Min(ScoreKernel.ProbeStep, probeCount - probe), stride,
                    rows + ((long)row * stride), stride, blockRows, scores + ((long)probe * scoreStride) + row, scoreStride);
            }
        }
    }

    /// <summary>The score of one pair.</summary>
    /// <param name="a">float32 [stride]. Borrowed.</param>
    /// <param name="b">float32 [stride]. Borrowed.</param>
    /// <param name="stride">From <see cref="StrideFor"/>.</param>
    public static float Score(float* a, float* b, int stride)
    {
        float score;
        ScoreKernel.Score(ScoreKernel.Widest, a, 1, stride, b, stride, 1, &score, RowStep);
        return score;
    }
}
