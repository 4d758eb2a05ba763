using System.Globalization;
using LfrEngine.Pipeline;
using LfrEngine.Records.Receipts;

namespace LfrEngine.Cli.Screen;

/// <summary>A run as text lines.</summary>
internal sealed class RunText(IReadOnlyList<CameraStatus> cameras, TextWriter output, TextWriter error, TimeSpan heartbeat) : RunLines(cameras, output, error, heartbeat)
{
    public static IEnumerable<string> Summary(RunReport report)
    {
        foreach (CameraReport c in report.Cameras)
            yield return $"{c.Name}: {c.State}, {c.FramesAnalysed} frames analysed, {c.FramesDropped} dropped, {c.Tracklets} tracklets, {c.FacesSeen} faces seen, {c.Alerts} alert(s){(c.Message is null ? "" : "; " + c.Message)}";
        yield return $"{report.Frames} frames in {report.ElapsedSeconds:0.0} s ({report.FramesPerSecond:0.0} per second), first result after {report.FirstResultSeconds:0.0} s, peak memory {report.PeakMemoryBytes >> 20} MiB";
        yield return $"{report.FacesSeen} faces seen, {report.ShotsCompared} comparisons with the watchlist, {report.Alerts} alert(s), {report.JoinedAlerts} further sighting(s)";
        if (report.CaptureToAlert.Count > 0)
            yield return $"capture to alert: p50 {report.CaptureToAlert.P50Ms:0} ms, p99 {report.CaptureToAlert.P99Ms:0} ms, longest {report.CaptureToAlert.MaximumMs:0} ms";
        yield return $"erased: {report.Erased.FrameBuffersWiped} frame buffers (held p50 {report.Lifetimes.Frame.P50Ms:0} ms, p99 {report.Lifetimes.Frame.P99Ms:0} ms), "
            + $"{report.Erased.CropsAndEmbeddingsWiped} crops with their embeddings (longest {report.Lifetimes.Crop.MaximumMs:0} ms); still held: {report.Erased.FrameBuffersHeld}; deadline missed {report.Lifetimes.DeadlineBreaches} time(s)";
        if (report.Erased.BytesNotLocked > 0)
            yield return $"{report.Erased.BytesNotLocked >> 20} MiB could not be locked and might be swapped to disk; `lfr doctor` shows how to raise the limit.";
    }

    protected override void ShowEvent(RunEvent what)
    {
        if (what.IsWarning)
            Warn(what.Sentence);
        else
            Output.WriteLine(what.Sentence);
    }

    protected override void ShowCamera(string name, CameraState state, string? message) =>
        Output.WriteLine(message is null ? $"{name}: {Word(state)}" : $"{name}: {Word(state)}: {message}");

    protected override void ShowHeartbeat() => Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(long)Elapsed.TotalHours}:{Elapsed:mm\\:ss} into the run: ")
        + string.Join("; ", Cameras.Select(c => $"{c.Name} {Word(c.State)}{Reason(c)}, {c.FramesAnalysed} frames, {c.FacesSeen} faces seen, {c.Alerts} alert(s)")));

    protected override void ShowSummary(RunReport report)
    {
        foreach (string line in Summary(report))
            Output.WriteLine(line);
    }

    // Why it failed.
    private static string Reason(CameraStatus camera) => camera.State != CameraState.Running && camera.Message is { Length: > 0 } message ? $" ({message})" : "";

    private static string Word(CameraState state) => state.ToString().ToLowerInvariant();
}
