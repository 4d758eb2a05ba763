namespace LfrEngine.Frames;

/// <summary>When the next frame of a live source is to be read, for sources that give many at once: HLS segments, a network that had stalled.</summary>
/// <remarks>
/// Read as fast as they come, most of a burst would be dropped although there is time to search it. So the reader waits, and what has come
/// stays undecoded where it is. Frames that come one by one are never waited with: what is a little late is read at once. Frames are read faster
/// than they were taken, so that no source stays behind.
/// </remarks>
internal sealed class BurstPace
{
    /// <summary>So much of a stream is read at once: what waits for a search has room for it.</summary>
    public const long SlackUs = 300_000;

    // A clock that leaps holds nothing up for longer.
    private const long LongestHoldUs = 500_000;

    private long lastUs;
    private long paceUs = long.MinValue;

    /// <summary>When to read the frame after this one, in the time of arrivals; in the past: at once.</summary>
    /// <param name="timeUs">Time of this frame in its stream.</param>
    /// <param name="arrivalUs">When it arrived.</param>
    public long Next(long timeUs, long arrivalUs)
    {
        long nextUs = paceUs == long.MinValue ? arrivalUs : paceUs + ((timeUs - lastUs) * 9 / 10);
        lastUs = timeUs;
        paceUs = Math.Clamp(nextUs, arrivalUs, arrivalUs + SlackUs + LongestHoldUs);
        return paceUs - SlackUs;
    }
}
