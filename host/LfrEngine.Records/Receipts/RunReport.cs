using System.Text.Json;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Native.Memory;
using LfrEngine.Pipeline;

namespace LfrEngine.Records.Receipts;

/// <summary>The summary at the end of a run.</summary>
internal sealed record RunReport(string Type, string Run, double ElapsedSeconds, double FirstResultSeconds, CameraReport[] Cameras, long Frames, long FramesDropped, double FramesPerSecond,
    long FacesSeen, long ShotsCompared, int Alerts, int JoinedAlerts, LatencyReport CaptureToAlert, LifetimeReport Lifetimes, ErasureReport Erased, long PeakMemoryBytes)
{
    public static RunReport From(RunTotals totals, IReadOnlyList<CameraStatus> cameras, double firstResultSeconds, ErasureReport erased) => new(
        "summary", totals.RunId, totals.Elapsed.TotalSeconds, firstResultSeconds, [.. cameras.Select(CameraReport.From)],
        cameras.Sum(c => c.FramesAnalysed), cameras.Sum(c => c.FramesDropped), cameras.Sum(c => c.FramesAnalysed) / Math.Max(1e-6, totals.Elapsed.TotalSeconds),
        cameras.Sum(c => c.FacesSeen), cameras.Sum(c => c.ShotsCompared), totals.AlertsRaised, totals.AlertsJoined,
        LatencyReport.From(totals.CaptureToAlert), LifetimeReport.From(totals.Erasure), erased, ProcessMemory.Peak());
}

/// <summary>One camera of a run.</summary>
internal sealed record CameraReport(string Name, string State, string? Message, string Clock, string Codec, int Width, int Height, long FramesDecoded, long FramesAnalysed, long FramesSearched, long FramesDropped,
    long DamagedPackets, long Reconnects, long FacesDetected, long Tracklets, long FacesSeen, long ShotsCompared, long Alerts, string TraceSha256)
{
    public static CameraReport From(CameraStatus c) => new(c.Name, c.State.ToString().ToLowerInvariant(), c.Message.Length > 0 ? c.Message : null, JsonNamingPolicy.CamelCase.ConvertName(c.Clock.ToString()), c.Codec, c.FrameSize.Width, c.FrameSize.Height,
        c.FramesDecoded, c.FramesAnalysed, c.FramesSearched, c.FramesDropped, c.DamagedPackets, c.Reconnects, c.FacesDetected, c.Tracklets, c.FacesSeen, c.ShotsCompared, c.Alerts, c.TraceSha256);
}

/// <summary>Percentiles of a duration, milliseconds.</summary>
internal sealed record LatencyReport(long Count, double P50Ms, double P99Ms, double MaximumMs)
{
    public static LatencyReport From(LatencyHistogram h) => new(h.Count, h.PercentileMs(0.5), h.PercentileMs(0.99), h.MaximumMs);
}

/// <summary>What was wiped, and what is still held (nothing, if all is well).</summary>
internal sealed record ErasureReport(long FrameBuffersWiped, long CropsAndEmbeddingsWiped, long PacketsWiped, long FrameBuffersHeld, long BytesNotLocked,
    long DeviceBuffersWiped = 0, long DeviceBuffersLost = 0);

/// <summary>What the process had wiped on devices at one moment, as the start for counting a run. Host memory of decoders is counted per run.</summary>
internal readonly record struct ErasureReading(long DeviceWiped, long DeviceLost)
{
    /// <summary>Takes the counts before a run.</summary>
    public static ErasureReading Now() => new(DeviceMemory.WipedBuffers, DeviceMemory.LostBuffers);

    /// <summary>Counts since then.</summary>
    public ErasureReport UntilNow(RunTotals totals)
    {
        ErasureReading after = Now();
        return new ErasureReport(totals.Media.BuffersWiped, totals.ShotsErased, totals.Media.PacketsWiped, totals.Media.BuffersOutstanding,
            MediaStatistics.Read().BytesUnlocked + LockedMemory.UnlockedBytes, after.DeviceWiped - DeviceWiped, after.DeviceLost - DeviceLost);
    }
}
