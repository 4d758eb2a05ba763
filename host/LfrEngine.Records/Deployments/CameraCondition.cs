using System.Text.Json.Serialization;
using LfrEngine.Frames;
using LfrEngine.Pipeline;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Authorities;

namespace LfrEngine.Records.Deployments;

/// <summary>How well a camera is followed.</summary>
[JsonConverter(typeof(CamelCaseNames<CameraCondition>))]
public enum CameraCondition
{
    /// <summary>Nothing to do.</summary>
    Ok,

    /// <summary>It works, but some people may be missed, or alerts come a little late.</summary>
    Degraded,

    /// <summary>The engine cannot follow: many people are missed, or alerts come too late to act on.</summary>
    Overloaded,

    /// <summary>No pictures.</summary>
    Lost,
}

/// <summary>The one place where the state of a camera is judged.</summary>
internal static class CameraConditions
{
    /// <summary>A camera that sends nothing for this long counts as lost, seconds.</summary>
    public const double Patience = 3;

    // A face is searched for about eight times a second and must agree in two shots, so that one frame in ten can be missed without missing anybody who walks by.
    private const double SomeSkipped = 0.1, ManySkipped = 0.3;

    // A person walks 1.4 m in a second. Within two, an officer beside the camera can still turn to them.
    private const double LateMs = 1000, TooLateMs = 2000;

    /// <summary>Judges a camera.</summary>
    /// <param name="state">Of the connection.</param>
    /// <param name="clock">Of its time stamps.</param>
    /// <param name="lastFrameSeconds">Since the newest frame; null before the first.</param>
    /// <param name="skipped">Share of the frames to search that were dropped lately, 0…1.</param>
    /// <param name="lateMs">From the arrival of a frame to the end of its analysis, lately.</param>
    public static CameraCondition Of(CameraState state, ClockHealth clock, double? lastFrameSeconds, double skipped, double lateMs) => state switch
    {
        CameraState.Opening when lastFrameSeconds is null => CameraCondition.Degraded,
        not CameraState.Running => CameraCondition.Lost,
        _ when lastFrameSeconds >= Patience => CameraCondition.Lost,
        _ when skipped >= ManySkipped || lateMs >= TooLateMs => CameraCondition.Overloaded,
        _ when skipped >= SomeSkipped || lateMs >= LateMs || clock != ClockHealth.Good => CameraCondition.Degraded,
        _ => CameraCondition.Ok,
    };
}

/// <summary>How many frames of a camera were searched and skipped, and how late they were analysed, over the last seconds.</summary>
internal sealed class FrameWindow
{
    // Long enough that one hiccup does not look like overload.
    private const double Seconds = 10;

    private readonly Queue<Sample> samples = new();
    private double analysedAt;
    private long analysedBefore;

    /// <summary>Adds a reading, about once a second.</summary>
    /// <param name="at">Seconds since any fixed moment.</param>
    /// <param name="decoded">Frames decoded so far.</param>
    /// <param name="dropped">Of those, dropped.</param>
    /// <param name="searched">Of those, searched for faces.</param>
    /// <param name="analysed">Of those, analysed: searched, or released because none was due.</param>
    /// <param name="lagMs">Of the newest analysed frame.</param>
    /// <returns>Share of the frames to search that were skipped, 0…1; how late alerts are on average, milliseconds; and frames searched per second.</returns>
    public (double Skipped, double LateMs, double SearchedPerSecond) Add(double at, long decoded, long dropped, long searched, long analysed, double lagMs)
    {
        bool moved = analysed != analysedBefore, waiting = decoded - dropped > analysed;
        if (moved || !waiting)
            (analysedAt, analysedBefore) = (at, analysed);
        // Where nothing is analysed any more, the lag of the last frame says nothing: what waits becomes older every second.
        samples.Enqueue(new Sample(at, searched, dropped, moved ? lagMs : waiting ? Math.Max(lagMs, (at - analysedAt) * 1000) : 0));
        while (samples.Peek().At < at - Seconds)
            samples.Dequeue();
        Sample first = samples.Peek();
        // Frames between two searches are released unsearched, and say nothing about an engine that cannot follow.
        long skippedNow = dropped - first.Dropped, searchedNow = searched - first.Searched;
        return (skippedNow > 0 ? (double)skippedNow / (skippedNow + searchedNow) : 0, samples.Average(s => s.LateMs), at > first.At ? searchedNow / (at - first.At) : 0);
    }

    private readonly record struct Sample(double At, long Searched, long Dropped, double LateMs);
}

/// <summary>Whether a camera is searched as often as its authority demands.</summary>
/// <param name="least">From the authority; null if it demands nothing.</param>
internal sealed class SearchFloor(LeastSearched? least)
{
    private readonly Queue<(double At, long Searched)> samples = new();

    /// <summary>Adds a reading, about once a second.</summary>
    /// <param name="at">Seconds since any fixed moment.</param>
    /// <param name="searched">Frames searched so far.</param>
    /// <param name="sends">Whether the camera sends pictures: a lost camera is told as lost, and nobody is watched by it.</param>
    /// <returns>Frames searched per second, if they have been too few for the whole time that the authority allows; otherwise null.</returns>
    public double? Add(double at, long searched, bool sends)
    {
        if (least is null)
            return null;
        if (!sends)
        {
            samples.Clear();
            return null;
        }
        samples.Enqueue((at, searched));
        // The oldest reading that is kept is at least as old as the time allowed.
        while (samples.Count > 1 && samples.ElementAt(1).At <= at - least.ForSeconds)
            samples.Dequeue();
        (double since, long before) = samples.Peek();
        return at - since < least.ForSeconds ? null : (searched - before) / (at - since) is var perSecond && perSecond < least.PerSecond ? perSecond : null;
    }
}
