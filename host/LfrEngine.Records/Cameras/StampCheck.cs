using System.Diagnostics;
using LfrEngine.Native.Media;

namespace LfrEngine.Records.Cameras;

/// <summary>Health of a source's time stamps. <paramref name="State"/> is good, missing, still, jumps, fast, slow or unknown.</summary>
/// <param name="State">In a word.</param>
/// <param name="Text">In a sentence.</param>
/// <param name="SpeedOfClock">Stream seconds per second of arrival; absent for recordings.</param>
/// <param name="LongestStepMs">Between two frames, by their stamps.</param>
/// <param name="Still">Share of the frames with the same stamp as the frame before, 0…1.</param>
public sealed record StampFindings(string State, string Text, double? SpeedOfClock, double LongestStepMs, double Still);

/// <summary>Judges the time stamps of a stream against the arrival of its frames, and those of a recording against each other.</summary>
internal sealed class StampCheck(bool isLive)
{
    // A reader turns a constant stamp into the smallest next step.
    private const double SmallestStepMs = 1;

    // Servers begin with buffered frames, whose arrival is meaningless.
    private const double StartMs = 1000;

    // A longer step is a gap, because the check does not last that long.
    private const double LongestStepCountedMs = 1000;

    private readonly List<(double StampMs, double ArrivalMs)> frames = [];

    private int unstamped;

    public int Frames => frames.Count + unstamped;

    /// <summary>Stream time from the first to the newest frame, holes shortened.</summary>
    public double StreamMs { get; private set; }

    /// <summary>Counts a frame.</summary>
    /// <param name="stampUs">The stream's own stamp; <see cref="FrameInfo.NoPts"/> where it has none.</param>
    /// <param name="arrivalTimestamp">Stopwatch ticks.</param>
    public void Add(long stampUs, long arrivalTimestamp)
    {
        if (stampUs == FrameInfo.NoPts)
        {
            unstamped++;
            return;
        }
        double stampMs = stampUs / 1000.0;
        if (frames.Count > 0)
            StreamMs += Math.Clamp(stampMs - frames[^1].StampMs, 0, LongestStepCountedMs);
        frames.Add((stampMs, arrivalTimestamp * 1000.0 / Stopwatch.Frequency));
    }

    /// <summary>Frames per second: of a live source by arrival, of a recording by its stamps; null if unknown.</summary>
    public double? MeasureRate()
    {
        if (frames.Count < 2)
            return null;
        (int first, int last) = isLive ? OnTime() : (0, frames.Count - 1);
        double ms = isLive ? frames[last].ArrivalMs - frames[first].ArrivalMs : StreamMs;
        return ms > (last - first) * SmallestStepMs ? (last - first) * 1000 / ms : null;
    }

    public StampFindings Judge()
    {
        (double StampMs, double ArrivalMs)[] steady = Steady();
        if (unstamped > frames.Count)
            return new StampFindings("missing", "most frames have no time stamp", null, 0, 0);
        if (steady.Length < 3)
            return new StampFindings("unknown", "too few frames to measure", null, 0, 0);
        double[] steps = [.. steady.Zip(steady.Skip(1), (a, b) => b.StampMs - a.StampMs)];
        double longest = steps.Max(), still = (double)steps.Count(s => s <= SmallestStepMs) / steps.Length;
        double? speed = isLive ? SpeedOfClock() : null;
        // The longest step not explained by arrivals; for a recording arrivals explain nothing.
        double jump = isLive ? steady.Zip(steady.Skip(1), (a, b) => b.StampMs - a.StampMs - (b.ArrivalMs - a.ArrivalMs)).Max() : longest;
        double usual = steps.Order().ElementAt(steps.Length / 2);
        (string state, string text) = true switch
        {
            _ when still > 0.05 => ("still", $"{still:P0} of the time stamps do not advance or go back"),
            _ when jump > 1000 && jump > 5 * usual => ("jumps", $"the time stamps jump by up to {jump / 1000:0.0} s"),
            _ when speed < 0.8 => ("slow", $"the stream's clock runs at {speed:0.00} times real time"),
            _ when speed > 1.25 => ("fast", $"the stream's clock runs at {speed:0.00} times real time"),
            _ => ("good", isLive ? "the time stamps match the arrival of the frames" : "the time stamps advance evenly"),
        };
        return new StampFindings(state, text, speed, longest, still);
    }

    private double? SpeedOfClock()
    {
        (int first, int last) = OnTime();
        double arrivalMs = frames[last].ArrivalMs - frames[first].ArrivalMs;
        return arrivalMs > 0 ? (frames[last].StampMs - frames[first].StampMs) / arrivalMs : null;
    }

    // A frame can be read late, while this machine is busy or catches up, but never early: punctual are those on the lower hull of arrival over stamp.
    // Of its edges the one that lasts longest, because a server's or a busy machine's backlog comes within moments.
    private (int First, int Last) OnTime()
    {
        List<int> hull = [];
        for (int i = 0; i < frames.Count; i++)
        {
            while (hull.Count > 1 && !TurnsUp(hull[^2], hull[^1], i))
                hull.RemoveAt(hull.Count - 1);
            hull.Add(i);
        }
        return hull.Zip(hull.Skip(1)).MaxBy(e => frames[e.Second].ArrivalMs - frames[e.First].ArrivalMs);

        bool TurnsUp(int a, int b, int c) =>
            (frames[b].ArrivalMs - frames[a].ArrivalMs) * (frames[c].StampMs - frames[b].StampMs) < (frames[c].ArrivalMs - frames[b].ArrivalMs) * (frames[b].StampMs - frames[a].StampMs);
    }

    private (double StampMs, double ArrivalMs)[] Steady()
    {
        if (!isLive)
            return [.. frames];
        (double StampMs, double ArrivalMs)[] later = [.. frames.SkipWhile(f => f.ArrivalMs - frames[0].ArrivalMs < StartMs)];
        return later.Length >= 3 ? later : [.. frames];
    }
}
