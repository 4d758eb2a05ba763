using LfrEngine.Pipeline;

namespace LfrEngine.Cli.Commands;

/// <summary>Result of <c>lfr bench</c>.</summary>
internal sealed record BenchReport(string Clip, int Width, int Height, double ClipFramesPerSecond, int Processors, string Detector, string Embedder, int GridLongSide, int Templates,
    double WarmUpSeconds, double Seconds, BenchRun[] Runs, int? CamerasWithoutDrops)
{
    /// <summary>The largest number of cameras in real time for which no run with as many or fewer dropped a frame or fell behind; null if real time was not measured.</summary>
    public static int? Carried(IEnumerable<BenchRun> runs)
    {
        BenchRun[] paced = [.. runs.Where(r => r.Pace == BenchRun.RealTime).OrderBy(r => r.Cameras)];
        return paced.Length == 0 ? null : paced.TakeWhile(r => r.KeptUp).Select(r => r.Cameras).LastOrDefault();
    }
}

/// <summary>One run with a number of cameras at one pace. All but the first two frame counts are for the measured time, after the warm-up.</summary>
internal sealed record BenchRun(string Pace, int Cameras, long FramesDroppedAtStart, double Seconds, long FramesExpected, long FramesAnalysed, long FramesDropped, double FramesPerSecond,
    double ProcessorSeconds, double CoresPerCamera, double ProcessorMsPerFrame, long ShotsCompared, AlertLatency CaptureToAlert, double ManagedBytesPerFrame, long PeakMemoryBytes, StageRow[] Stages)
{
    public const string Maximum = "max", RealTime = "realtime";

    // Frames in progress at the start and the end of the measurement are not losses: one or two per camera.
    private const int UnderWayPerCamera = 2;

    /// <summary>Whether every frame of the measured time was analysed: none was dropped, and the reader did not fall behind its source.</summary>
    public bool KeptUp => FramesDropped == 0 && FramesAnalysed >= FramesExpected - (UnderWayPerCamera * Cameras);
}

/// <summary>Arrival of the pixels that completed the evidence to the alert, milliseconds; exact percentiles.</summary>
internal sealed record AlertLatency(int Count, double P50Ms, double P99Ms, double MaximumMs)
{
    public static AlertLatency From(List<double> milliseconds)
    {
        double[] sorted = [.. milliseconds.Order()];
        double At(double share) => sorted.Length == 0 ? 0 : sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
        return new AlertLatency(sorted.Length, At(0.5), At(0.99), At(1));
    }
}

/// <summary>One stage of <see cref="PipelineStage"/>: processor milliseconds and calls per analysed frame.</summary>
internal sealed record StageRow(string Stage, double MsPerFrame, double CallsPerFrame, double MsPerCall)
{
    public static StageRow[] From(StageTime[] earlier, StageTime[] later, long frames)
    {
        var rows = new StageRow[later.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            StageTime time = later[i] - earlier[i];
            double milliseconds = time.Elapsed.TotalMilliseconds;
            rows[i] = new StageRow(((PipelineStage)i).ToString().ToLowerInvariant(), milliseconds / Math.Max(1, frames), (double)time.Calls / Math.Max(1, frames), milliseconds / Math.Max(1, time.Calls));
        }
        return rows;
    }
}
