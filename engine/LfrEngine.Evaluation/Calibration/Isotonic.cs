namespace LfrEngine.Evaluation.Calibration;

/// <summary>Neighbouring ratios that the best monotone calibration cannot tell apart.</summary>
/// <param name="Last">Number of the last of them.</param>
/// <param name="Mated">Weight.</param>
/// <param name="NonMated">Weight.</param>
internal readonly record struct IsotonicBlock(int Last, double Mated, double NonMated);

/// <summary>Isotonic regression by pooling adjacent violators: the reference for what calibration could reach.</summary>
internal static class Isotonic
{
    /// <summary>Blocks of rising share of mated weight. Equal ratios share a block; those without weight belong to the block before.</summary>
    /// <param name="sorted">By rising ratio.</param>
    /// <param name="weights">Of the subjects.</param>
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
            // A block whose share is not above that of the one before is pooled with it; weights of the two kinds are scaled alike everywhere, so that the order of shares is that of odds.
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
