namespace LfrEngine.Evaluation.Statistics;

/// <summary>The ratio of two independent rates, such as those of two groups.</summary>
public static class RateRatio
{
    /// <summary>Interval of <c>first / second</c> from the intervals of the two rates (MOVER-R; Donner and Zou, Statistical Methods in Medical Research 21, 2012).</summary>
    /// <param name="first">Rate of the first group, 0…1.</param>
    /// <param name="firstInterval">Its interval, which may be by subject; contains the rate.</param>
    /// <param name="second">Rate of the second group, 0…1.</param>
    /// <param name="secondInterval">Its interval, with the same confidence.</param>
    /// <returns>Its upper bound is infinite if the second rate may be 0.</returns>
    /// <remarks>It needs no counts, so attempts that repeat a subject widen it as they widen the two intervals.</remarks>
    public static Interval Of(double first, Interval firstInterval, double second, Interval secondInterval)
    {
        double product = first * second;
        double smallest = firstInterval.Low * ((2 * first) - firstInterval.Low), largest = firstInterval.High * ((2 * first) - firstInterval.High);
        double other = secondInterval.High * ((2 * second) - secondInterval.High), least = secondInterval.Low * ((2 * second) - secondInterval.Low);
        // The lower bound in the form without a difference in its denominator, which may be 0.
        return new Interval(
            smallest > 0 ? smallest / (product + Math.Sqrt(Math.Max(0, (product * product) - (smallest * other)))) : 0,
            least > 0 ? (product + Math.Sqrt(Math.Max(0, (product * product) - (largest * least)))) / least : double.PositiveInfinity);
    }
}
