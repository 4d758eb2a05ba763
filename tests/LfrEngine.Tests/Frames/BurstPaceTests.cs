using LfrEngine.Frames;
using Xunit;

namespace LfrEngine.Tests.Frames;

/// <summary>When frames of a live source are read: bursts spread out, what comes one by one at once, and nothing left behind.</summary>
public sealed class BurstPaceTests
{
    private const long FrameUs = 40_000, Second = 1_000_000;

    [Theory]
    [InlineData(2)]
    [InlineData(6)]
    public void Read_Segments_AreSpreadAndReadBeforeTheNext(int seconds)
    {
        long segmentUs = seconds * Second;
        List<long> read = Read(2000, i => (i * FrameUs / segmentUs * segmentUs) + segmentUs);

        // In no stretch of half a second much more than was taken in it.
        for (int i = 0; i + 25 < read.Count; i++)
            Assert.True(read[i + 25] - read[i] >= Second / 2, $"26 frames in {read[i + 25] - read[i]} µs from frame {i}.");
        Assert.All(read.Index(), r => Assert.True(r.Item - (r.Index * FrameUs) <= segmentUs + (segmentUs / 10), $"Frame {r.Index} was read at {r.Item}."));
    }

    [Fact]
    public void Read_OneByOneOverAShakyNetwork_IsNeverWaitedWith()
    {
        var random = new Random(7);
        long[] arrivals = [.. Enumerable.Range(0, 5000).Select(i => (i * FrameUs) + random.Next(0, 250_000)).Order()];

        Assert.Equal(arrivals, Read(arrivals.Length, i => arrivals[i]));
    }

    [Fact]
    public void Read_ServerBeginsWithWhatItHasKept_CatchesUp()
    {
        // Ten seconds come at once, then one by one.
        List<long> read = Read(5000, i => Math.Max(0, (i * FrameUs) - (10 * Second)));

        Assert.All(read.Index().Skip(2600), r => Assert.Equal(Math.Max(0, (r.Index * FrameUs) - (10 * Second)), r.Item));
    }

    [Fact]
    public void Next_ClockLeapsAhead_HoldsHalfASecondAtMost()
    {
        var pace = new BurstPace();
        Assert.True(pace.Next(0, 0) <= 0);

        Assert.Equal(500_000, pace.Next(3600 * Second, 0));
        Assert.True(pace.Next(-Second, Second) <= Second);
    }

    /// <summary>When each frame is read that is to be had from its time on.</summary>
    private static List<long> Read(int count, Func<int, long> availableAt)
    {
        var pace = new BurstPace();
        var read = new List<long>();
        long due = long.MinValue, now = long.MinValue;
        for (int i = 0; i < count; i++)
        {
            now = Math.Max(now, Math.Max(due, availableAt(i)));
            read.Add(now);
            due = pace.Next(i * FrameUs, now);
        }
        return read;
    }
}
