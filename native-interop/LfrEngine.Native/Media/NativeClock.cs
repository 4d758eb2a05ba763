namespace LfrEngine.Native.Media;

/// <summary>The decode shim's clock and <see cref="System.Diagnostics.Stopwatch"/> have the same origin, but different units: nanoseconds there, ticks here.</summary>
internal static class NativeClock
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Nanoseconds of the shim's clock as ticks.</summary>
    /// <param name="nanoseconds">0 or more.</param>
    /// <param name="frequency">Ticks per second: 10⁹ on Linux, 10⁷ on most Windows machines.</param>
    public static long ToStopwatchTicks(long nanoseconds, long frequency)
    {
        // In two parts: the product of days in nanoseconds and the frequency does not fit.
        (long seconds, long rest) = Math.DivRem(nanoseconds, NanosecondsPerSecond);
        return (seconds * frequency) + (long)((Int128)rest * frequency / NanosecondsPerSecond);
    }
}
