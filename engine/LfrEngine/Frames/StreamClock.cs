using System.Globalization;
using LfrEngine.Native.Media;

namespace LfrEngine.Frames;

/// <summary>The time of one opened stream: made of its own stamps where they can be believed, of arrivals or the frame rate where they cannot.</summary>
/// <remarks>
/// Everything that decides (search interval, tracks, evidence, cool-down) counts in this time and in no other.
/// A live stream runs by the arrival of its frames; once its stamps have kept step with them for two seconds they take over, since the network
/// shakes arrivals and not stamps, and they lose it again as soon as they do not. A recording runs by its stamps; where they stand still, go
/// back or are missing, by its frame rate; a pause longer than <see cref="LongestPauseUs"/> is shortened to that. Used by one thread.
/// </remarks>
/// <param name="isLive">Whether frames arrive when they were taken.</param>
/// <param name="startUs">Time of a recording's first frame; a live stream starts with its first arrival.</param>
/// <param name="framesPerSecond">As the container says; 0 when it does not.</param>
public sealed class StreamClock(bool isLive, long startUs, double framesPerSecond)
{
    /// <summary>A longer pause of a recording is shortened to this. Cameras that record on movement pause for seconds; tracks end after two seconds all the same.</summary>
    public const long LongestPauseUs = 10_000_000;

    // Of a live stream: how long stamps must keep step, how far they may be off meanwhile (networks hold frames back and send them in a burst), and in the end.
    private const long ProofUs = 2_000_000;
    private const long LargestLagUs = 1_000_000;
    private const double LargestDrift = 0.2;

    // A lag is made up for over this many frames: slow enough to smooth bursts, fast enough for any crystal.
    private const int LagSmoothing = 64;

    // Reordered stamps come one by one; a clock that has really gone back stays there.
    private const int LateFramesBelieved = 3;

    // Multiplexers turn a stamp that stands still into one that creeps by single ticks; no camera takes 500 pictures a second.
    private const long SmallestStepUs = 2_000;
    private const int FramesUntilStandStill = 5;
    private const long WrongSpeedAfterUs = 5_000_000;
    private const long FaultShownUs = 30_000_000;
    private const long DefaultIntervalUs = 40_000;

    // Counters of 32 and 33 bits at 90 kHz (RTP, MPEG-TS) and of 32 bits in milliseconds (FLV), microseconds.
    private static readonly long[] s_wraps = [(1L << 33) * 100 / 9, (1L << 32) * 100 / 9, (1L << 32) * 1000];

    private readonly long intervalUs = framesPerSecond is >= 1.0 / 60 and <= 240 ? (long)Math.Round(1_000_000 / framesPerSecond) : DefaultIntervalUs;

    private long lastUs = long.MinValue;
    private long? lastStampUs;
    private long offsetUs;
    private int lateFrames;
    private int stillStamps;
    private int missingStamps;
    private long faultUs = long.MinValue;

    // Live: where the present comparison of stamps and arrivals began, a younger one to go on from, and whether the stamps have passed.
    private (long StampUs, long ArrivalUs) window, next;
    private bool inStep;
    private long outOfStepSinceUs = long.MinValue;
    private long lastArrivalUs;

    /// <summary>What the stamps were worth lately.</summary>
    public ClockHealth Health { get; private set; }

    /// <summary>The latest jump of the stamps beyond what time had passed, microseconds; negative: back.</summary>
    public long JumpUs { get; private set; }

    /// <summary>Time of the next frame, microseconds, always above that of the one before.</summary>
    /// <param name="stampUs">The stream's stamp, from any beginning; <see cref="FrameInfo.NoPts"/> where it has none.</param>
    /// <param name="arrivalUs">When it arrived, microseconds of a monotonic clock; counts for live streams alone.</param>
    public long Next(long stampUs, long arrivalUs)
    {
        bool first = lastUs == long.MinValue;
        long? stamp = stampUs == FrameInfo.NoPts ? null : stampUs;
        missingStamps = stamp is null ? missingStamps + 1 : 0;
        long? step = stamp is { } now && lastStampUs is { } before ? Step(before, now) : null;
        bool still = step is >= 0 and < SmallestStepUs;
        stillStamps = still ? stillStamps + 1 : 0;

        long timeUs = isLive ? Live(stamp, step, still, arrivalUs, first) : Recorded(stamp, step, still, first);
        lastUs = first ? timeUs : Math.Max(timeUs, lastUs + 1);
        lastStampUs = stamp ?? lastStampUs;
        lastArrivalUs = arrivalUs;

        if (missingStamps >= FramesUntilStandStill)
            Note(ClockHealth.Missing);
        else if (stillStamps >= FramesUntilStandStill)
            Note(ClockHealth.StandStill);
        else if (Health != ClockHealth.Good && lastUs - faultUs > FaultShownUs)
            Health = ClockHealth.Good;
        return lastUs;
    }

    /// <summary><see cref="Health"/> as a sentence for the operator; empty when all is well.</summary>
    public string Describe() => Health switch
    {
        ClockHealth.Missing => $"the stream has no time stamps; {Instead}",
        ClockHealth.StandStill => $"the time stamps stand still; {Instead}",
        ClockHealth.Jump when !isLive && JumpUs > 0 => $"the recording has a hole of {Words(JumpUs)}, shortened to {Words(LongestPauseUs)}",
        ClockHealth.Jump => $"the time stamps jumped {(JumpUs < 0 ? "back" : "ahead")} by {Words(JumpUs)}; {Instead}",
        ClockHealth.WrongSpeed => $"the time stamps run at the wrong speed; {Instead}",
        _ => "",
    };

    private string Instead => isLive ? "the time of arrival counts instead" : "the frame rate counts instead";

    private static string Words(long microseconds)
    {
        // A broken stamp can be as far away as a long reaches.
        double seconds = Math.Abs(microseconds / 1e6);
        return seconds < 60 ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0.#} s")
            : seconds < 365 * 86_400.0 ? string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(seconds / 3600)}:{(int)(seconds / 60) % 60:00}:{(int)seconds % 60:00} h")
            : "years";
    }

    // By the stamps, as long as they go ahead and not too far.
    private long Recorded(long? stamp, long? step, bool still, bool first)
    {
        long expectedUs = first ? startUs : lastUs + intervalUs;
        if (stamp is not { } stampUs)
            return expectedUs;
        if (step is null)
        {
            offsetUs = unchecked(expectedUs - stampUs);
            return expectedUs;
        }
        long timeUs = unchecked(stampUs + offsetUs);
        long aheadUs = unchecked(timeUs - lastUs);
        long longestUs = Math.Max(LongestPauseUs, 3 * intervalUs);
        if (aheadUs >= SmallestStepUs && aheadUs <= longestUs)
        {
            lateFrames = 0;
            return timeUs;
        }
        if (step > longestUs)
        {
            NoteJump(step.Value);
            offsetUs = unchecked(lastUs + longestUs - stampUs);
            return lastUs + longestUs;
        }
        // What stands still may go on where it would be by now: only a clock that runs, and stays behind, begins anew.
        lateFrames += still ? 0 : 1;
        if (lateFrames < LateFramesBelieved && aheadUs <= longestUs)
            return expectedUs;
        NoteJump(unchecked(aheadUs - intervalUs));
        lateFrames = 0;
        offsetUs = unchecked(expectedUs - stampUs);
        return expectedUs;
    }

    // By arrivals, or by stamps that have proved to keep step with them.
    private long Live(long? stamp, long? step, bool still, long arrivalUs, bool first)
    {
        // One frame without a stamp is nothing: the first of an RTSP stream has none.
        if (stamp is not { } stampUs)
            return missingStamps >= FramesUntilStandStill ? LoseStep(0, arrivalUs) : inStep ? lastUs + intervalUs : arrivalUs;
        if (first || step is not { } stepUs)
            return LoseStep(stampUs, arrivalUs);
        long passedUs = arrivalUs - lastArrivalUs;
        bool jumped = stepUs < 0 || unchecked((ulong)(stepUs - passedUs + LargestLagUs)) > 2 * (ulong)LargestLagUs;
        if (jumped)
            NoteJump(unchecked(stepUs - passedUs));
        if (jumped || still)
            return LoseStep(stampUs, arrivalUs);

        long ageUs = arrivalUs - window.ArrivalUs;
        long driftUs = unchecked(ageUs - (stampUs - window.StampUs));
        if (Math.Abs(driftUs) > LargestLagUs)
        {
            if (outOfStepSinceUs != long.MinValue && arrivalUs - outOfStepSinceUs > WrongSpeedAfterUs)
                Note(ClockHealth.WrongSpeed);
            return LoseStep(stampUs, arrivalUs);
        }
        if (ageUs >= ProofUs && Math.Abs(driftUs) <= LargestDrift * ageUs)
        {
            if (!inStep)
                offsetUs = unchecked(arrivalUs - stampUs);
            inStep = true;
            outOfStepSinceUs = long.MinValue;
            if (arrivalUs - next.ArrivalUs >= ProofUs)
                (window, next) = (next, (stampUs, arrivalUs));
        }
        if (!inStep)
            return arrivalUs;
        long lagUs = unchecked(arrivalUs - (stampUs + offsetUs));
        if (Math.Abs(lagUs) > LargestLagUs)
            return LoseStep(stampUs, arrivalUs);
        offsetUs += lagUs / LagSmoothing;
        return unchecked(stampUs + offsetUs);
    }

    private long LoseStep(long stampUs, long arrivalUs)
    {
        inStep = false;
        window = next = (stampUs, arrivalUs);
        if (outOfStepSinceUs == long.MinValue)
            outOfStepSinceUs = arrivalUs;
        return arrivalUs;
    }

    // A counter that has run over is no step back.
    private long Step(long before, long now)
    {
        long step = unchecked(now - before);
        foreach (long wrapUs in s_wraps)
        {
            if (step < 0 && step > -wrapUs - LongestPauseUs && step + wrapUs is > -LongestPauseUs and <= LongestPauseUs)
            {
                offsetUs = unchecked(offsetUs + wrapUs);
                window.StampUs = unchecked(window.StampUs - wrapUs);
                next.StampUs = unchecked(next.StampUs - wrapUs);
                return step + wrapUs;
            }
        }
        return step;
    }

    private void NoteJump(long jumpUs)
    {
        JumpUs = jumpUs;
        Note(ClockHealth.Jump);
    }

    private void Note(ClockHealth fault)
    {
        Health = fault;
        faultUs = Math.Max(lastUs, 0);
    }
}
