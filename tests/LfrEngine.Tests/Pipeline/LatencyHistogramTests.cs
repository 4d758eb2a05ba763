using LfrEngine.Memory;
using Xunit;

namespace LfrEngine.Tests.Pipeline;

public sealed class LatencyHistogramTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void PercentileMs_RandomDurations_AreWithinFivePercent(int seed)
    {
        var random = new Random(seed);
        var histogram = new LatencyHistogram();
        // From 20 µs to 10 minutes, evenly over the logarithm; below 20 µs whole microseconds are coarser than 5 %.
        double[] milliseconds = [.. Enumerable.Range(0, 5_000).Select(_ => Math.Floor(20 * Math.Pow(3e7, random.NextDouble())) / 1000)];
        foreach (double ms in milliseconds)
            histogram.Add(TimeSpan.FromMicroseconds(ms * 1000));
        Array.Sort(milliseconds);
        Assert.Equal(milliseconds.Length, histogram.Count);
        foreach (double share in new[] { 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1 })
        {
            double exact = milliseconds[(int)Math.Ceiling(share * milliseconds.Length) - 1];
            Assert.InRange(histogram.PercentileMs(share), exact * 0.9999, exact * 1.0501);
        }
        Assert.Equal(milliseconds[^1], histogram.MaximumMs, 1e-3);
    }

    [Fact]
    public void PercentileMs_OneDuration_IsThatDuration()
    {
        var histogram = new LatencyHistogram();
        Assert.Equal((0, 0), (histogram.PercentileMs(0.5), histogram.MaximumMs));
        histogram.Add(TimeSpan.FromMilliseconds(12.345));
        Assert.Equal(12.345, histogram.PercentileMs(0.5), 1e-6);
        Assert.Equal(12.345, histogram.PercentileMs(1), 1e-6);
    }

    [Fact]
    public void Add_NothingNegativeOrHours_StaysInRange()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(TimeSpan.Zero);
        histogram.Add(TimeSpan.FromMilliseconds(-5));
        Assert.Equal(0.001, histogram.PercentileMs(1), 1e-9);
        histogram.Add(TimeSpan.FromHours(5));
        Assert.Equal(TimeSpan.FromHours(5).TotalMilliseconds, histogram.MaximumMs);
        Assert.True(histogram.PercentileMs(1) > TimeSpan.FromMinutes(20).TotalMilliseconds);
    }

    [Fact]
    public void Add_ManyThreads_CountsAll()
    {
        var histogram = new LatencyHistogram();
        Parallel.For(0, 8, worker =>
        {
            for (int i = 1; i <= 10_000; i++)
                histogram.Add(TimeSpan.FromMicroseconds((worker * 10_000) + i));
        });
        Assert.Equal(80_000, histogram.Count);
        Assert.Equal(80, histogram.MaximumMs);
        Assert.InRange(histogram.PercentileMs(0.5), 40, 42.01);
    }
}
