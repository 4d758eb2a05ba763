using System.Globalization;
using LfrEngine.Native.Media;

namespace LfrEngine.Frames;

/// <summary>The time of one opened stream: from its time stamps if they are reliable, otherwise from arrivals or the frame rate.</summary>
/// <remarks>
/// All decisions (search interval, tracks, evidence, cool-down) use this time.
/// A live stream uses its stamps, because the network delays arrivals and sends frames in bursts, as long as the stamps keep step
/// with the most punctual arrivals. If they do not advance, jump or run at another speed, it uses the arrivals, until the stamps have kept step for two
/// seconds. A recording uses its stamps; if they do not advance, go back or are missing, its frame rate; a pause longer than
/// <see cref="LongestPauseUs"/> is shortened to that. Used by one thread.
/// </remarks>
/// <param name="isLive">Whether frames arrive when they were taken.</param>
/// <param name="startUs">Time of a recording's first frame; a live stream starts with its first arrival.</param>
/// <param name="framesPerSecond">From the container; 0 if unknown.</param>
internal sealed class StreamClock(bool isLive, long startUs, double framesPerSecond)
{
    /// <summary>A longer pause of a recording is shortened to this. Cameras that record on movement pause for seconds; tracks end after two seconds all the same.</summary>
    public const long LongestPauseUs = 10_000_000;

    // For live streams: in each stretch of arrivals the most punctual frame shows the offset between stamps and arrivals. Frames can arrive late, never early.
    private const long StretchUs = 500_000;
    private const int StretchFrames = 3;

    // Stamps that drift away by more than this share of the time passed, and this jitter, run at another speed.
    private const double LargestDrift = 0.2;
    private const long JitterUs = 50_000;

    // Frames that come in bursts do not show the speed.
    private const double EvenGap = 2.5;

    // Stamps that had lost step are used again after this long.
    private const long ProofUs = 2_000_000;

    // A server may begin with buffered frames; a stamp further ahead of arrivals than this is a jump.
    private const long LargestLeadUs = 10_000_000;
    private const long LargestStepAheadUs = 1_000_000;

    // Reordered stamps come one at a time; a clock that has really gone back stays back.
    private const int LateFramesBelieved = 3;

    // Frames reordered by damage are not a jump of the clock.
    private const long SmallestJumpUs = 100_000;

    // Multiplexers turn a constant stamp into one that advances by single ticks; no camera takes 500 pictures a second.
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

    // Live: the present stretch of arrivals and the one before, and since when the stamps have agreed with them, or have not.
    private Stretch stretch, earlier;
    private bool inStep = true;
    private long agreeingSinceUs, driftingSinceUs = long.MinValue;
    private long lastArrivalUs;

    /// <summary>Recent health of the stamps.</summary>
    public ClockHealth Health { get; private set; }

    /// <summary>The latest jump of the stamps beyond the elapsed time, microseconds; negative: back.</summary>
    public long JumpUs { get; private set; }

    /// <summary>Time of the next frame, microseconds, always above that of the one before.</summary>
    /// <param name="stampUs">The stream's stamp, with any origin; <see cref="FrameInfo.NoPts"/> where it has none.</param>
    /// <param name="arrivalUs">When it arrived, microseconds of a monotonic clock; used for live streams only.</param>
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
        else if (isLive && Health != ClockHealth.Good && lastUs - faultUs > FaultShownUs)
            Health = ClockHealth.Good;
        return lastUs;
    }

    /// <summary><see cref="Health"/> as a sentence for the operator; empty when all is well.</summary>
    public string Describe() => Health switch
    {
        ClockHealth.Missing => $"the stream has no time stamps; {Instead}",
        ClockHealth.StandStill => $"the time stamps do not advance; {Instead}",
        ClockHealth.Jump when !isLive && JumpUs > 0 => $"the recording has a gap of {Words(JumpUs)}, shortened to {Words(LongestPauseUs)}",
        ClockHealth.Jump => $"the time stamps jumped {(JumpUs < 0 ? "back" : "ahead")} by {Words(JumpUs)}; {Instead}",
        ClockHealth.WrongSpeed => $"the time stamps run at the wrong speed; {Instead}",
        _ => "",
    };

    private string Instead => isLive ? "the time of arrival is used instead" : "the frame rate is used instead";

    private static string Words(long microseconds)
    {
        // A broken stamp can have any value of a long.
        double seconds = Math.Abs(microseconds / 1e6);
        return seconds < 60 ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0.#} s")
            : seconds < 365 * 86_400.0 ? string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(seconds / 3600)}:{(int)(seconds / 60) % 60:00}:{(int)seconds % 60:00} h")
            : "years";
    }

    // Uses the stamps as long as they advance, and not by too much.
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
        // A clock that had stopped may continue at the right time: only a clock that runs and stays behind is reset.
        lateFrames += still ? 0 : 1;
        if (lateFrames < LateFramesBelieved && aheadUs <= longestUs)
            return expectedUs;
        if (aheadUs > longestUs || aheadUs < -SmallestJumpUs)
            NoteJump(unchecked(aheadUs - intervalUs));
        lateFrames = 0;
        offsetUs = unchecked(expectedUs - stampUs);
        return expectedUs;
    }

    // Uses the stamps if they keep step with arrivals, otherwise the arrivals.
    private long Live(long? stamp, long? step, bool still, long arrivalUs, bool first)
    {
        // A single frame without a stamp is ignored: the first of an RTSP stream has none.
        if (stamp is not { } stampUs)
            return missingStamps >= FramesUntilStandStill ? LoseStep(arrivalUs) : inStep && !first ? lastUs + intervalUs : Towards(arrivalUs);
        long apartUs = unchecked(arrivalUs - stampUs);
        if (step is not { } stepUs)
        {
            offsetUs = apartUs;
            Begin(apartUs, arrivalUs);
            return Towards(arrivalUs);
        }
        bool ahead = stepUs > LargestStepAheadUs && unchecked(apartUs - Punctual) < -LargestStepAheadUs && stepUs - (arrivalUs - lastArrivalUs) > LargestStepAheadUs;
        if (stepUs < 0 || ahead)
        {
            NoteJump(unchecked(stepUs - (arrivalUs - lastArrivalUs)));
            driftingSinceUs = long.MinValue;
        }
        if (stepUs < 0 || ahead || still)
        {
            Begin(apartUs, arrivalUs);
            return LoseStep(arrivalUs);
        }
        Count(apartUs, arrivalUs);
        if (!inStep)
            return Towards(arrivalUs);
        // Corrects by a quarter of a step at most, so that for searches and tracks the stream only runs a little faster or slower for a while.
        offsetUs += Math.Clamp(unchecked(Punctual - offsetUs), -stepUs / 4, stepUs / 4);
        long timeUs = unchecked(stampUs + offsetUs);
        return unchecked(timeUs - arrivalUs) is > LargestLeadUs or < -LargestLeadUs ? LoseStep(arrivalUs) : timeUs;
    }

    // Offset between the most punctual recent frames and their stamps.
    private long Punctual => Math.Min(stretch.LeastApartUs, earlier.LeastApartUs);

    private void Begin(long apartUs, long arrivalUs)
    {
        stretch = earlier = new Stretch(arrivalUs, apartUs);
        agreeingSinceUs = arrivalUs;
    }

    private void Count(long apartUs, long arrivalUs)
    {
        long gapUs = arrivalUs - lastArrivalUs;
        if (arrivalUs - stretch.BeganUs >= StretchUs && stretch.Frames >= StretchFrames)
        {
            long driftUs = unchecked(stretch.LeastApartUs - earlier.LeastApartUs), passedUs = stretch.BeganUs - earlier.BeganUs;
            bool drifts = passedUs > 0 && Math.Abs(driftUs) > (LargestDrift * passedUs) + JitterUs;
            if (drifts && stretch.IsEven && earlier.IsEven)
            {
                if (driftingSinceUs == long.MinValue)
                    driftingSinceUs = arrivalUs;
                else if (arrivalUs - driftingSinceUs > WrongSpeedAfterUs)
                    Note(ClockHealth.WrongSpeed);
                LoseStep(arrivalUs);
            }
            if (drifts)
                agreeingSinceUs = arrivalUs;
            if (!inStep && arrivalUs - agreeingSinceUs >= ProofUs)
            {
                inStep = true;
                driftingSinceUs = long.MinValue;
                offsetUs = Math.Min(stretch.LeastApartUs, apartUs);
            }
            earlier = stretch;
            stretch = new Stretch(arrivalUs, apartUs);
            return;
        }
        stretch = stretch.With(apartUs, gapUs, arrivalUs);
    }

    private long LoseStep(long arrivalUs)
    {
        inStep = false;
        agreeingSinceUs = arrivalUs;
        return Towards(arrivalUs);
    }

    // The time of arrival. A difference is corrected gradually, by a quarter of the elapsed time, so that no track breaks.
    private long Towards(long arrivalUs)
    {
        if (lastUs == long.MinValue)
            return arrivalUs;
        long passedUs = arrivalUs - lastArrivalUs;
        return Math.Clamp(arrivalUs, lastUs + (passedUs * 3 / 4), lastUs + (passedUs * 5 / 4));
    }

    // A counter overflow is not a step back.
    private long Step(long before, long now)
    {
        long step = unchecked(now - before);
        foreach (long wrapUs in s_wraps)
        {
            if (step < 0 && step > -wrapUs - LongestPauseUs && step + wrapUs is > -LongestPauseUs and <= LongestPauseUs)
            {
                offsetUs = unchecked(offsetUs + wrapUs);
                stretch = stretch with { LeastApartUs = unchecked(stretch.LeastApartUs + wrapUs) };
                earlier = earlier with { LeastApartUs = unchecked(earlier.LeastApartUs + wrapUs) };
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

    /// <summary>A stretch of frames that arrived one after the other.</summary>
    /// <param name="BeganUs">Arrival of the first.</param>
    /// <param name="LeastApartUs">Arrival minus stamp of the most punctual frame.</param>
    private readonly record struct Stretch(long BeganUs, long LeastApartUs)
    {
        public int Frames { get; private init; } = 1;

        private long LongestGapUs { get; init; }

        private long EndUs { get; init; } = BeganUs;

        /// <summary>Whether they arrived one at a time.</summary>
        public bool IsEven => Frames > 1 && LongestGapUs <= EvenGap * (EndUs - BeganUs) / (Frames - 1);

        public Stretch With(long apartUs, long gapUs, long arrivalUs) =>
            this with { LeastApartUs = Math.Min(LeastApartUs, apartUs), Frames = Frames + 1, LongestGapUs = Math.Max(LongestGapUs, gapUs), EndUs = arrivalUs };
    }
}
