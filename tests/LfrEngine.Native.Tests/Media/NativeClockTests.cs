using LfrEngine.Native.Media;
using Xunit;

namespace LfrEngine.Native.Tests.Media;

/// <summary>Times of the decode shim as ticks of the stopwatch, on any machine.</summary>
public sealed class NativeClockTests
{
    [Theory]
    [InlineData(1_000_000_000)]
    [InlineData(10_000_000)]
    [InlineData(3_579_545)]
    [InlineData(2_435_100)]
    [InlineData(24_000_000)]
    public void ToStopwatchTicks_AnyFrequency_IsTheSameMoment(long frequency)
    {
        // From the first second to ten years after start.
        foreach (long nanoseconds in (long[])[0, 1, 999_999_999, 1_000_000_000, 86_400_123_456_789, 315_360_000_999_999_999])
        {
            long ticks = NativeClock.ToStopwatchTicks(nanoseconds, frequency);

            Assert.Equal((long)((Int128)nanoseconds * frequency / 1_000_000_000), ticks);
            Assert.InRange(Math.Abs((double)ticks / frequency - (nanoseconds / 1e9)), 0, 1e-6);
        }
    }
}
