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
            yield return $"{c.Name}: {c.State}, {new Counted(c.FramesAnalysed):frame|frames} analysed, {c.FramesDropped} dropped, {new Counted(c.Tracklets):tracklet|tracklets}, {new Counted(c.FacesSeen):face|faces} seen, {new Counted(c.Alerts):alert|alerts}{(c.Message is null ? "" : "; " + c.Message)}";
        yield return $"{new Counted(report.Frames):frame|frames} in {report.ElapsedSeconds:0.0} s ({report.FramesPerSecond:0.0} per second), first result after {report.FirstResultSeconds:0.0} s, peak memory {report.PeakMemoryBytes >> 20} MiB";
        yield return $"{new Counted(report.FacesSeen):face|faces} seen, {new Counted(report.ShotsCompared):comparison|comparisons} with the watchlist, {new Counted(report.Alerts):alert|alerts}, {new Counted(report.JoinedAlerts):further sighting|further sightings}";
        if (report.CaptureToAlert.Count > 0)
            yield return $"capture to alert: p50 {report.CaptureToAlert.P50Ms:0} ms, p99 {report.CaptureToAlert.P99Ms:0} ms, longest {report.CaptureToAlert.MaximumMs:0} ms";
        yield return $"erased: {new Counted(report.Erased.FrameBuffersWiped):frame buffer|frame buffers} (held p50 {report.Lifetimes.Frame.P50Ms:0} ms, p99 {report.Lifetimes.Frame.P99Ms:0} ms), "
            + $"{new Counted(report.Erased.CropsAndEmbeddingsWiped):crop with its embedding|crops with their embeddings} (longest {report.Lifetimes.Crop.MaximumMs:0} ms); still held: {report.Erased.FrameBuffersHeld}; deadline missed {new Counted(report.Lifetimes.DeadlineBreaches):time|times}";
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
        + string.Join("; ", Cameras.Select(c => $"{c.Name} {Word(c.State)}{Reason(c)}, {new Counted(c.FramesAnalysed):frame|frames}, {new Counted(c.FacesSeen):face|faces} seen, {new Counted(c.Alerts):alert|alerts}")));

    protected override void ShowSummary(RunReport report)
    {
        foreach (string line in Summary(report))
            Output.WriteLine(line);
    }

    // Why it failed.
    private static string Reason(CameraStatus camera) => camera.State != CameraState.Running && camera.Message is { Length: > 0 } message ? $" ({message})" : "";

    private static string Word(CameraState state) => state.ToString().ToLowerInvariant();
}
