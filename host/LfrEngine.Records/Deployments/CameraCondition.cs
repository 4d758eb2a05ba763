using System.Text.Json.Serialization;
using LfrEngine.Frames;
using LfrEngine.Pipeline;
using LfrEngine.Records.Alerts;

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
    /// <param name="skipped">Share of the frames that were dropped lately, 0…1.</param>
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

/// <summary>How many frames of a camera were skipped, and how late they were analysed, over the last seconds.</summary>
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
    /// <param name="analysed">Of those, analysed.</param>
    /// <param name="lagMs">Of the newest analysed frame.</param>
    /// <returns>Share of frames skipped, 0…1, and how late alerts are on average, milliseconds.</returns>
    public (double Skipped, double LateMs) Add(double at, long decoded, long dropped, long analysed, double lagMs)
    {
        bool moved = analysed != analysedBefore, waiting = decoded - dropped > analysed;
        if (moved || !waiting)
            (analysedAt, analysedBefore) = (at, analysed);
        // Where nothing is analysed any more, the lag of the last frame says nothing: what waits becomes older every second.
        samples.Enqueue(new Sample(at, decoded, dropped, moved ? lagMs : waiting ? Math.Max(lagMs, (at - analysedAt) * 1000) : 0));
        while (samples.Peek().At < at - Seconds)
            samples.Dequeue();
        Sample first = samples.Peek();
        return (decoded > first.Decoded ? Math.Clamp((double)(dropped - first.Dropped) / (decoded - first.Decoded), 0, 1) : 0, samples.Average(s => s.LateMs));
    }

    private readonly record struct Sample(double At, long Decoded, long Dropped, double LateMs);
}
