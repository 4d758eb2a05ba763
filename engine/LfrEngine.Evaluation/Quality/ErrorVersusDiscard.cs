using LfrEngine.Evaluation.Statistics;
using LfrEngine.Quality;

namespace LfrEngine.Evaluation.Quality;

/// <summary>False non-match rate after discarding the comparisons with the lowest values of a quality component (ISO/IEC 29794-1).</summary>
/// <param name="Component">Name, as in <see cref="FaceQuality"/>.</param>
/// <param name="Discarded">Shares, from 0.</param>
/// <param name="Fnmr">Rate of the remaining comparisons.</param>
/// <param name="PartialArea">Area under the curve up to 20 % discarded, relative to that of a useless component; below 1 is useful.</param>
internal sealed record ErrorVersusDiscard(string Component, IReadOnlyList<double> Discarded, IReadOnlyList<Proportion> Fnmr, double PartialArea)
{
    private const int Steps = 50;
    private const double Most = 0.5, AreaUpTo = 0.2;

    /// <summary>Components, each with a function that is higher for better pictures.</summary>
    public static IReadOnlyList<(string Name, Func<FaceQuality, double> Fitness)> Components { get; } =
    [
        ("score", q => q.Score), ("inter_eye_pixels", q => q.InterEyePixels), ("sharpness", q => q.Sharpness), ("brightness", q => -Math.Abs(q.Brightness - 128)),
        ("clipped", q => -q.Clipped), ("yaw", q => -Math.Abs(q.YawDegrees)), ("pitch", q => -Math.Abs(q.PitchDegrees)), ("roll", q => -Math.Abs(q.RollDegrees)),
        ("cover", q => -q.Cover), ("plausibility", q => q.Plausibility),
    ];

    /// <summary>Computes the curve of one component.</summary>
    /// <param name="component">Its name.</param>
    /// <param name="fitness">Fitness of each comparison: the lower of its two images.</param>
    /// <param name="erred">Whether each comparison was below the threshold.</param>
    public static ErrorVersusDiscard Compute(string component, ReadOnlySpan<double> fitness, ReadOnlySpan<bool> erred)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(erred.Length, fitness.Length);
        int n = fitness.Length;
        double[] keys = fitness.ToArray();
        int[] order = [.. Enumerable.Range(0, n)];
        Array.Sort(keys, order);
        // Errors left after discarding the first i. Comparisons of equal fitness share their errors, so that their order does not matter.
        var left = new double[n + 1];
        for (int i = n - 1; i >= 0;)
        {
            int from = i;
            while (from > 0 && keys[from - 1] == keys[i])
                from--;
            double errors = 0;
            for (int k = from; k <= i; k++)
                errors += erred[order[k]] ? 1 : 0;
            for (int k = i; k >= from; k--)
                left[k] = left[k + 1] + (errors / (i - from + 1));
            i = from - 1;
        }
        var shares = new List<double>();
        var rates = new List<Proportion>();
        for (int step = 0; step <= Steps; step++)
        {
            double share = Most * step / Steps;
            int gone = (int)((share * n) + 1e-9);
            shares.Add(share);
            rates.Add(new Proportion((long)Math.Round(left[gone]), n - gone));
        }
        double area = 0, start = rates[0].Rate;
        for (int step = 1; step <= Steps && shares[step] <= AreaUpTo + 1e-9; step++)
            area += (shares[step] - shares[step - 1]) * (rates[step].Rate + rates[step - 1].Rate) / 2;
        return new ErrorVersusDiscard(component, shares, rates, start > 0 ? area / (start * AreaUpTo) : double.NaN);
    }
}
