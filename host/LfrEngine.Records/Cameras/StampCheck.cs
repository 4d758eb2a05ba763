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
        (double StampMs, double ArrivalMs)[] steady = Steady();
        if (steady.Length < 2)
            return null;
        (int first, int last) = isLive ? OnTime(steady) : (0, steady.Length - 1);
        double ms = isLive ? steady[last].ArrivalMs - steady[first].ArrivalMs : StreamMs;
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
        (int first, int last) = OnTime(steady);
        double arrivalMs = steady[last].ArrivalMs - steady[first].ArrivalMs;
        double? speed = isLive && arrivalMs > 0 ? (steady[last].StampMs - steady[first].StampMs) / arrivalMs : null;
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

    // The most punctual frames of the first and of the last third: a frame can be read late, while this machine is busy, but never early.
    private static (int First, int Last) OnTime((double StampMs, double ArrivalMs)[] frames)
    {
        int third = frames.Length / 3;
        return third < 2 ? (0, frames.Length - 1) : (MostPunctual(0, third), MostPunctual(frames.Length - third, frames.Length));

        int MostPunctual(int from, int to) => Enumerable.Range(from, to - from).MinBy(i => frames[i].ArrivalMs - frames[i].StampMs);
    }

    private (double StampMs, double ArrivalMs)[] Steady()
    {
        if (!isLive)
            return [.. frames];
        (double StampMs, double ArrivalMs)[] later = [.. frames.SkipWhile(f => f.ArrivalMs - frames[0].ArrivalMs < StartMs)];
        return later.Length >= 3 ? later : [.. frames];
    }
}
