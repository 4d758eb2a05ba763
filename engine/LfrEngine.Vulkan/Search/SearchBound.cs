using System.Numerics.Tensors;
using LfrEngine.Matching;
using LfrEngine.Watchlists;

namespace LfrEngine.Vulkan.Search;

/// <summary>Maximum difference between a device's score and the processor's score of the same pair.</summary>
/// <remarks>
/// Both are sums s = Σ pᵢ·rᵢ of n products in some order, of which Higham (Accuracy and Stability of Numerical Algorithms, 3.1) proves
/// |computed − s| ≤ γ·Σ|pᵢ·rᵢ| with γ = m·u / (1 − m·u), where no term goes through more than m roundings and one rounding errs by at most u.
/// By Cauchy and Schwarz Σ|pᵢ·rᵢ| ≤ ‖p‖·‖r‖.
/// <list type="bullet">
/// <item>Device: any order, so m = n. Vulkan rounds to either neighbour, so u = 2⁻²³; it may take numbers below 2⁻¹²⁶ for zero.</item>
/// <item>Processor: 16 sums side by side and fused, so m = n/16 + 4 (<see cref="Matching.CosineSearch"/>); u = 2⁻²⁴.</item>
/// <item>Half precision: the device has r + δ instead of r, which moves the true sum by |Σ pᵢ·δᵢ| ≤ ‖p‖·‖δ‖. ‖δ‖ is measured when the gallery is packed.</item>
/// </list>
/// </remarks>
internal static class SearchBound
{
    private const double DeviceRounding = 1.0 / (1 << 23);
    private const double ProcessorRounding = 1.0 / (1 << 24);
    private const double SmallestNormal = 1.1754943508222875e-38;

    // Far above the rounding of the norms, which are float32 sums, and of this class's own arithmetic.
    private const double Slack = 1.001;

    /// <summary>A norm as an upper bound, from a norm computed in float32.</summary>
    /// <param name="computed">NaN and infinity stay what they are.</param>
    // Squares below the smallest float vanish from the sum: at most 4096 of them, each the square of less than 1.1e-19.
    public static double Norm(float computed) => (computed * Slack) + 1e-17;

    /// <summary>Largest difference of the two scores of one pair.</summary>
    /// <param name="probeNorm">‖p‖ or more.</param>
    /// <param name="rowNorm">‖r‖ or more.</param>
    /// <param name="packingNorm">‖δ‖ or more; 0 with float32.</param>
    /// <param name="elements">n.</param>
    public static double Difference(double probeNorm, double rowNorm, double packingNorm, int elements)
    {
        double device = Gamma(elements, DeviceRounding) * probeNorm * (rowNorm + packingNorm);
        double processor = Gamma((elements / 16) + 5, ProcessorRounding) * probeNorm * rowNorm;
        // Each element, product and sum may lose what is below the smallest normal number.
        double underflow = SmallestNormal * ((4.0 * elements) + (Math.Sqrt(elements) * (probeNorm + rowNorm + packingNorm)));
        return Slack * (device + processor + (probeNorm * packingNorm) + underflow);
    }

    /// <summary>What the device must know of a probe so that it hands out every identity that could be a candidate.</summary>
    /// <param name="probe">float32 [D]. Borrowed.</param>
    /// <param name="gallery">On the device.</param>
    /// <param name="thresholds">The search's.</param>
    /// <param name="bounds">Bounds; those of a probe that finds nobody when the result is false.</param>
    /// <returns>False when the probe is not one: zero, not a number, or so large or small that float32 is near its end.</returns>
    public static bool TryFind(ReadOnlySpan<float> probe, ResidentGallery gallery, in CategoryThresholds thresholds, out ProbeBounds bounds)
    {
        const double Smallest = 1e-10, Largest = 1e10;
        bounds = default;
        double norm = Norm(TensorPrimitives.Norm(probe));
        bool usable = norm is >= Smallest and <= Largest;
        double difference = usable ? Difference(norm, gallery.LongestRow, gallery.LargestPacking, gallery.Gallery.RowStride) : 0;
        double range = Slack * ((norm * (gallery.LongestRow + gallery.LargestPacking)) + difference);
        for (int i = 0; i < WatchlistCategories.Count; i++)
        {
            double threshold = usable ? thresholds[(WatchlistCategory)i] : double.PositiveInfinity;
            bounds.Least[i] = NotAbove(threshold - difference);
            bounds.Sure[i] = -NotAbove(-(threshold + difference));
        }
        if (!usable)
            return false;
        bounds.Range = (float)range;
        bounds.BinsPerUnit = (float)(SearchPipelines.Bins / (2 * range));
        // The k-th best may be worse by one difference than the device says, another identity better by one. A bin more for where in its bin
        // each of the two lies, and one for the rounding of the bins.
        bounds.Margin = (uint)Math.Min(SearchPipelines.Bins, Math.Ceiling(difference / range * SearchPipelines.Bins) + 2);
        return true;
    }

    /// <summary>A finite float that is no larger.</summary>
    private static float NotAbove(double value)
    {
        // No score comes near; infinities are not every device's strength.
        const double Beyond = 1e38;
        float rounded = (float)Math.Clamp(value, -Beyond, Beyond);
        return rounded > value ? MathF.BitDecrement(rounded) : rounded;
    }

    private static double Gamma(int roundings, double unit) => roundings * unit / (1 - (roundings * unit));
}
