namespace LfrEngine.Evaluation.Calibration;

/// <summary>Neighbouring ratios to which the best monotone calibration assigns the same value.</summary>
/// <param name="Last">Index of the last ratio.</param>
/// <param name="Mated">Weight of the mated ones.</param>
/// <param name="NonMated">Weight of the non-mated ones.</param>
internal readonly record struct IsotonicBlock(int Last, double Mated, double NonMated);

/// <summary>Isotonic regression (pool adjacent violators): the best result that calibration could achieve.</summary>
internal static class Isotonic
{
    /// <summary>Blocks with increasing shares of mated weight. Equal ratios share a block; those without weight belong to the previous block.</summary>
    /// <param name="sorted">In ascending order of the ratio.</param>
    /// <param name="weights">Weights of the subjects.</param>
    public static List<IsotonicBlock> Fit(JudgedRatio[] sorted, double[] weights)
    {
        var blocks = new List<IsotonicBlock>();
        for (int i = 0; i < sorted.Length;)
        {
            double value = sorted[i].Log, mated = 0, nonMated = 0;
            for (; i < sorted.Length && sorted[i].Log == value; i++)
            {
                double weight = weights[sorted[i].Subject] * sorted[i].Weight;
                if (sorted[i].IsMated)
                    mated += weight;
                else
                    nonMated += weight;
            }
            var next = new IsotonicBlock(i - 1, mated, nonMated);
            // A block whose mated share does not exceed that of the previous one is pooled with it. Odds have the same order as shares.
            while (blocks.Count > 0 && (next.Mated + next.NonMated == 0 || next.Mated * blocks[^1].NonMated <= blocks[^1].Mated * next.NonMated))
            {
                next = new IsotonicBlock(next.Last, next.Mated + blocks[^1].Mated, next.NonMated + blocks[^1].NonMated);
                blocks.RemoveAt(blocks.Count - 1);
            }
            blocks.Add(next);
        }
        return blocks;
    }
}
